# The page and the command for a CPU, from the wheel: docker build -f docker/cpu.Dockerfile -t geneface .
FROM python:3.11-slim-bookworm AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE USE_POLICY.md ./
COPY geneface geneface
COPY hub_configs hub_configs
COPY examples examples
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim-bookworm
# ffmpeg lets a video play while it is made; the font has the letters of subtitles.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ffmpeg fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.txt requirements-speech.txt /requirements/
# PyPI's torch for Linux is the CUDA build of several gigabytes.
RUN pip install --no-cache-dir --no-deps --index-url https://download.pytorch.org/whl/cpu \
        "$(grep '^torch==' /requirements/requirements.txt)" \
    && pip install --no-cache-dir -r /requirements/requirements.txt -r /requirements/requirements-speech.txt
COPY --from=wheel /wheels /wheels
RUN pip install --no-cache-dir --no-deps /wheels/*.whl \
    && useradd --create-home geneface \
    && install -d -o geneface -g geneface /home/geneface/.cache /home/geneface/work
USER geneface
WORKDIR /home/geneface/work
ENV GRADIO_SERVER_NAME=0.0.0.0
EXPOSE 7860
ENTRYPOINT ["geneface"]
CMD ["demo", "--port", "7860"]
