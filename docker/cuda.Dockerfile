# The page, the command and the training of persons for an NVIDIA GPU, from the wheel; PyPI's torch brings CUDA along:
# docker build -f docker/cuda.Dockerfile -t geneface:cuda . && docker run --gpus all -p 127.0.0.1:7860:7860 geneface:cuda
FROM python:3.11-slim-bookworm AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE USE_POLICY.md ./
COPY geneface geneface
COPY hub_configs hub_configs
COPY examples examples
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim-bookworm
# ffmpeg lets a video play while it is made; the font has the letters of subtitles; MediaPipe loads the rest.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ffmpeg fonts-dejavu-core libegl1 libgl1 libgles2 \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.txt requirements-speech.txt requirements-tracking.txt /requirements/
RUN pip install --no-cache-dir -r /requirements/requirements.txt -r /requirements/requirements-speech.txt \
        -r /requirements/requirements-tracking.txt
COPY --from=wheel /wheels /wheels
RUN pip install --no-cache-dir --no-deps /wheels/*.whl \
    && useradd --create-home geneface \
    && install -d -o geneface -g geneface /home/geneface/.cache /home/geneface/work
USER geneface
WORKDIR /home/geneface/work
ENV GRADIO_SERVER_NAME=0.0.0.0 NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
EXPOSE 7860
ENTRYPOINT ["geneface"]
CMD ["demo", "--port", "7860"]
