# One image for the five services and the heartguard command; compose.yaml says which of them a container runs.
#
# The executables come from the machine (`make images`), or with --build-arg BINARIES=image from a build in a container.
# A stage that is not asked for is neither built nor are its images fetched.
ARG BINARIES=machine

FROM scratch AS binaries-machine
COPY .heartguard/image-bin/ /

FROM swift:6.3-bookworm AS compile
RUN apt-get update \
 && apt-get install -y --no-install-recommends pkg-config libargon2-dev libhiredis-dev liblz4-dev libnghttp2-dev libpq-dev libprotobuf-c-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /heartguard
COPY Package.swift ./
COPY Libraries Libraries
COPY Services Services
COPY Tools/heartguard Tools/heartguard
COPY Tests Tests
RUN for product in heartguard heartguard-users heartguard-vitals heartguard-chat heartguard-vectors heartguard-gateway; do \
      swift build -c release --static-swift-stdlib --product $product || exit 1; \
    done \
 && mkdir /binaries && cp .build/release/heartguard .build/release/heartguard-users .build/release/heartguard-vitals \
    .build/release/heartguard-chat .build/release/heartguard-vectors .build/release/heartguard-gateway /binaries/

FROM scratch AS binaries-image
COPY --from=compile /binaries/ /

FROM binaries-${BINARIES} AS binaries

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
    libargon2-1 libgcc-s1 libhiredis0.14 liblz4-1 libnghttp2-14 libpq5 libprotobuf-c1 libstdc++6 postgresql-client-15 tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --no-create-home --home-dir /nonexistent heartguard \
 && install -d -o heartguard -m 0700 /var/lib/heartguard/snapshots
COPY --from=binaries / /usr/local/bin/
ENV LANG=C.UTF-8 TZ=UTC
USER heartguard
