# One image for every service: `docker build -t anpr .`, then `docker run anpr match --site calais`.
FROM python:3.11-slim AS built
WORKDIR /src
RUN python -m venv /opt/anpr
COPY requirements.lock .
# The lock includes the packages of the tests. One set of pinned digests is worth more than a smaller image.
RUN /opt/anpr/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY simulators simulators
RUN /opt/anpr/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/anpr --create-home anpr
COPY --from=built /opt/anpr /opt/anpr
ENV PATH=/opt/anpr/bin:$PATH ANPR_CONFIG=/etc/anpr ANPR_WATCHLIST__STATE_DIR=/var/lib/anpr
USER anpr
ENTRYPOINT ["anpr"]
