"""The icon of the browser tab: the count of incidents that wait, or that it is not known."""

from starlette.requests import Request
from starlette.responses import Response

_KNOWN = {**{str(number): str(number) for number in range(10)}, "9plus": "9+", "unknown": "?"}
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="6" fill="{fill}"/>'
    '<text x="16" y="23" font-family="sans-serif" font-weight="bold" font-size="{size}" text-anchor="middle" '
    'fill="#fff">{text}</text></svg>'
)


async def icon(request: Request) -> Response:
    """Return the picture for a count: 0 to 9, `9plus`, `unknown`."""
    text = _KNOWN.get(request.path_params["text"])
    if text is None:
        return Response(status_code=404)
    fill = "#d4351c" if text == "?" else "#0b0c0c" if text == "0" else "#1d70b8"
    svg = _SVG.format(fill=fill, size=22 if len(text) == 1 else 17, text=text)
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"})
