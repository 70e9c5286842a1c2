# syntax=docker/dockerfile:1
# The set-up script is the one source of what is needed: the image is built with it.
FROM debian:12-slim AS build
WORKDIR /src
COPY scripts/ scripts/
RUN scripts/setup.sh run && rm -rf /var/lib/apt/lists/*
COPY webclient/package.json webclient/package-lock.json webclient/
RUN scripts/setup.sh run
COPY go.mod go.sum ./
RUN PATH=/src/.cache/go/bin:$PATH go mod download
COPY . .
RUN make build

FROM debian:12-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates opencv-data \
      libavcodec59 libavdevice59 libavfilter8 libavformat59 libavutil57 libswresample4 libswscale6 \
      libopencv-contrib406 libopencv-calib3d406 libopencv-dnn406 libopencv-features2d406 libopencv-highgui406 \
      libopencv-imgcodecs406 libopencv-imgproc406 libopencv-ml406 libopencv-objdetect406 libopencv-photo406 \
      libopencv-stitching406 libopencv-video406 libopencv-videoio406 libopencv-viz406 \
    && rm -rf /var/lib/apt/lists/* && useradd --system --create-home liveproof
COPY --from=build /src/bin/liveproof /usr/local/bin/liveproof
COPY --from=build /src/.cache/onnxruntime/ /usr/local/lib/onnxruntime/
COPY --from=build /src/models/*.onnx /usr/share/liveproof/models/
COPY --from=build /src/configs/liveproof.yaml /etc/liveproof/liveproof.yaml
COPY --from=build /src/LICENSE /src/NOTICE /usr/share/doc/liveproof/
ENV LIVEPROOF_ONNXRUNTIME=/usr/local/lib/onnxruntime/libonnxruntime.so LIVEPROOF_MODELS=/usr/share/liveproof/models
USER liveproof
EXPOSE 8080/tcp 8443/udp 8443/tcp
ENTRYPOINT ["liveproof"]
# Production mode: keys and secrets are required. The demo page comes with `serve` alone, or with --dev.
CMD ["serve", "--config", "/etc/liveproof/liveproof.yaml"]
