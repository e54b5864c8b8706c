"""The API by which sites ask each other about a vehicle: its paths, its request, its refusals, its OpenAPI.

Version 1 only ever gains fields. A site refuses a request with a field that it does not know, because the field may
narrow what may be answered. Whoever asks ignores unknown fields of an answer.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from anpr.contracts.look_up import LookUp, SightingsAnswer

SIGHTINGS_PATH: Final = "/v1/sightings"
OPENAPI_PATH: Final = "/v1/openapi.json"
API_VERSION: Final = "1.0"
# The longest request has every field at its bound, with each character escaped.
MOST_REQUEST_BYTES: Final = 16_384
# An answer with the most sightings, each with several alerts, is far below.
MOST_ANSWER_BYTES: Final = 67_108_864


class SightingsRequest(LookUp, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A look-up on its way to a site. `covert` asks for covert alerts too: only a site's own services may."""

    covert: bool = False


class Problem(Struct, frozen=True, kw_only=True):
    """Why a site did not answer, after RFC 9457. `code` is a heading of docs/errors.md."""

    title: str
    status: int
    code: str
    next_step: str = ""


def request_of(look_up: LookUp, *, covert: bool) -> SightingsRequest:
    """Return the request that asks this."""
    return SightingsRequest(**{name: getattr(look_up, name) for name in LookUp.__struct_fields__}, covert=covert)


_REFUSALS: Final = {
    "400": "The body is not a look-up that this version knows",
    "401": "The token is missing or not accepted here",
    "403": "The look-up names another site than its token, or asks for covert facts of another site",
    "413": "The body is too long",
    "422": "The look-up asks for more than a site answers, such as a partial plate with too few characters",
    "429": "This person or this site has asked too often: `Retry-After` says when to ask again",
    "503": "The look-up cannot be audited, or the history cannot be read",
}


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document of the API, made of the Structs above."""
    (request, answer, problem), schemas = msgspec.json.schema_components(
        (SightingsRequest, SightingsAnswer, Problem), ref_template="#/components/schemas/{name}"
    )
    refusals = {
        status: {"description": text, "content": {"application/problem+json": {"schema": problem}}}
        for status, text in _REFUSALS.items()
    }
    ask = {
        "operationId": "askForSightings",
        "summary": "Where was this vehicle, as far as this site's history knows?",
        "requestBody": {"required": True, "content": {"application/json": {"schema": request}}},
        "responses": {
            "200": {"description": "What the site holds", "content": {"application/json": {"schema": answer}}},
            **refusals,
        },
    }
    describe = {
        "operationId": "describe",
        "summary": "This document",
        "responses": {
            "200": {"description": "OpenAPI", "content": {"application/json": {"schema": {"type": "object"}}}},
            "401": refusals["401"],
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sightings of one vehicle at one site", "version": API_VERSION},
        "security": [{"siteToken": []}],
        "paths": {SIGHTINGS_PATH: {"post": ask}, OPENAPI_PATH: {"get": describe}},
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "siteToken": {"type": "http", "scheme": "bearer", "description": "`anpr site-tokens new` makes it"}
            },
        },
    }
