"""The two fields of a read that a loop needs to look its plate up."""

from msgspec import Struct


class Fields(Struct):
    """The id and the plate, as the camera wrote them."""

    read_id: str
    plate: str
