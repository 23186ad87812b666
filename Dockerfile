# syntax=docker/dockerfile:1
#
# The operator as a container image: one program, no shell, no package manager, not root.
#
#   docker build --tag chrome-enterprise-operator .
#
# The program is linked with the C library of the same Debian release that the base image has, so BASE and
# BUILD_IMAGE change together.
ARG BUILD_IMAGE=rust:1.95-trixie
ARG BASE=gcr.io/distroless/cc-debian13:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /source
COPY . .
# The tool chain is the image's; without this rustup would fetch the one of rust-toolchain.toml with its tools.
RUN rm -f rust-toolchain.toml
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --release --locked --package chrome-enterprise-operator --bin chrome-enterprise-operator \
    && install -D target/release/chrome-enterprise-operator /out/chrome-enterprise-operator

FROM ${BASE}
LABEL org.opencontainers.image.title="Chrome Enterprise operator" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/chrome-enterprise-operator /usr/local/bin/chrome-enterprise-operator
COPY LICENSE /usr/share/doc/chrome-enterprise-operator/LICENSE
# As a number, so that `runAsNonRoot: true` can be checked. The program writes no file: the root may be read-only.
USER 65532:65532
# Health and metrics.
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/chrome-enterprise-operator"]
CMD ["run"]
