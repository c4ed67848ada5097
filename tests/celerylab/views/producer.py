"""An app that sends tasks of the bundled worker by name, and holds none of their code."""

from celery import Celery

app = Celery("producer", set_as_current=False)
app.conf.task_default_queue = "labtasks"


@app.task(name="labtasks.basics.add")
def add(x, y): ...


@app.task(name="labtasks.basics.multiply")
def multiply(x, y): ...


@app.task(name="labtasks.basics.sum_results")
def sum_results(values): ...


@app.task(name="labtasks.basics.process_data")
def process_data(data): ...


@app.task(name="labtasks.basics.long_task")
def long_task(seconds): ...
