# GraphiQL
FROM node:22-bookworm-slim AS explorer
WORKDIR /build/explorer
COPY explorer/package.json explorer/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY explorer ./
RUN npm run build

# Python packages, by their hashes
FROM python:3.11-slim-bookworm AS packages
COPY requirements/main.txt /build/
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir --require-hashes -r /build/main.txt

FROM python:3.11-slim-bookworm
ARG VERSION=unreleased
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 VT_HOST=0.0.0.0 VT_DATA_PATH=/data VT_WATCH_PATH=/data/watch
WORKDIR /app
RUN useradd --system --uid 9950 --home-dir /data --create-home virtool && echo "$VERSION" > VERSION
COPY --from=packages /opt/venv /opt/venv
COPY virtool_gql virtool_gql
COPY schema schema
COPY resolvers resolvers
COPY jobs jobs
COPY --from=explorer /build/explorer/dist explorer/dist
RUN python -m compileall -q .
USER virtool
VOLUME /data
EXPOSE 9950
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:9950/health/ready', timeout=4)"]
ENTRYPOINT ["python", "-m", "virtool_gql"]
CMD ["serve"]
