# One image for the API, the workers and the scheduler; Neo4j and Redis are images of their own.
FROM python:3.11-slim

RUN useradd --create-home --uid 10001 pathlight && mkdir /data && chown pathlight /data
WORKDIR /pathlight

COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes -r requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY graphdb graphdb
COPY ingest ingest
COPY training training
COPY api api
COPY domains domains
RUN pip install --no-cache-dir --no-deps --no-build-isolation .

# Away from the sources: what is imported is what was installed.
WORKDIR /data
USER pathlight
ENV PATHLIGHT_HOME=/data PYTHONUNBUFFERED=1
EXPOSE 8000
CMD ["python", "-m", "uvicorn", "--factory", "api.app:create_app", "--host", "0.0.0.0", "--port", "8000", "--no-access-log"]
