FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 copilot
WORKDIR /srv/copilot
COPY pyproject.toml requirements.lock README.md LICENSE Makefile ./
COPY ingest ingest
COPY rag rag
COPY app app
COPY data data
RUN make install
RUN mkdir -p /desk && chown copilot /desk
USER copilot
ENV COPILOT_HOME=/desk
VOLUME /desk
EXPOSE 8501
HEALTHCHECK --start-period=60s CMD [".venv/bin/python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/readyz')"]
CMD [".venv/bin/support-copilot", "serve", "--host", "0.0.0.0"]
