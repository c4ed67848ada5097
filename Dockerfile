# Images of the course. Targets: tasks (worker, Beat, mail, sample client), flower, api, course, test.
# What changes seldom comes first: after a change of the code, only the last lines are built again.
FROM python:3.13-slim AS base
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1
WORKDIR /app
# volumes take over the owner of the folder that they cover
RUN useradd --uid 1000 --create-home lab \
    && install -d -o lab -g lab /beat /data /progress /run/lab notebooks

FROM base AS uv
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
COPY install.py requirements.lock ./
RUN python3 -c "import install; print(install.pinned('uv'))" >uv.txt \
    && pip install --no-cache-dir --require-hashes --no-deps -r uv.txt
RUN uv venv -q --python python3 .venv
COPY pyproject.toml ./

# uv checks the hashes of a constraints file for every package that it names
FROM uv AS tasks-venv
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install -q -c requirements.lock -r pyproject.toml --extra mail

FROM uv AS course-venv
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install -q -c requirements.lock -r pyproject.toml \
    $(python3 -c "import install; print(*('--extra=' + each for each in sorted(install.COURSE)))") \
    editables hatchling

FROM base AS tasks-packages
COPY --from=tasks-venv /app/.venv .venv

FROM tasks-packages AS flower-packages
RUN --mount=type=cache,target=/root/.cache/uv --mount=from=uv,target=/uv \
    cd /uv/app && UV_LINK_MODE=copy /uv/usr/local/bin/uv pip install -q --compile-bytecode \
    --python /app/.venv/bin/python -c requirements.lock -r pyproject.toml --extra flower

FROM tasks-packages AS api-packages
RUN --mount=type=cache,target=/root/.cache/uv --mount=from=uv,target=/uv \
    cd /uv/app && UV_LINK_MODE=copy /uv/usr/local/bin/uv pip install -q --compile-bytecode \
    --python /app/.venv/bin/python -c requirements.lock -r pyproject.toml --extra web

FROM tasks-packages AS tasks
COPY celerylab celerylab
COPY labtasks labtasks
USER lab
ENTRYPOINT ["python", "-m", "celerylab.container"]

FROM flower-packages AS flower
COPY celerylab celerylab
COPY labtasks labtasks
USER lab
ENTRYPOINT ["python", "-m", "celerylab.container"]

FROM api-packages AS api
COPY celerylab celerylab
COPY labtasks labtasks
USER lab
ENTRYPOINT ["python", "-m", "celerylab.container"]

FROM base AS course
COPY --from=course-venv /app/.venv .venv
COPY README.md LICENSE pyproject.toml requirements.lock ./
COPY celerylab celerylab
COPY exercises exercises
COPY labtasks labtasks
COPY quizzes quizzes
RUN --mount=from=uv,source=/usr/local/bin/uv,target=/usr/local/bin/uv \
    uv pip install -q --no-deps --no-build-isolation --no-cache -e .
# the learner's copy lies in a volume, made from this one
COPY notebooks published/notebooks
USER lab
ENTRYPOINT ["python", "-m", "celerylab.container"]

FROM course AS test
USER root
RUN --mount=type=cache,target=/root/.cache/uv \
    --mount=from=uv,source=/usr/local/bin/uv,target=/usr/local/bin/uv \
    UV_LINK_MODE=copy uv pip install -q -c requirements.lock -r pyproject.toml --extra test
COPY conftest.py ./
COPY tests tests
USER lab
