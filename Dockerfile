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
# For any x86-64 processor with AVX2, or any 64-bit ARM one: the image may run on another machine than it is built on.
ARG NUMBA_CPU_NAME=x86-64-v3
ENV NUMBA_CPU_NAME=$NUMBA_CPU_NAME NUMBA_CPU_FEATURES=
RUN /opt/anpr/bin/anpr compile

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/anpr --create-home anpr
COPY --from=built /opt/anpr /opt/anpr
ARG NUMBA_CPU_NAME=x86-64-v3
# As compiled above; with others each process would compile at its start.
ENV NUMBA_CPU_NAME=$NUMBA_CPU_NAME NUMBA_CPU_FEATURES=
ENV PATH=/opt/anpr/bin:$PATH ANPR_CONFIG=/etc/anpr ANPR_WATCHLIST__STATE_DIR=/var/lib/anpr
USER anpr
ENTRYPOINT ["anpr"]
