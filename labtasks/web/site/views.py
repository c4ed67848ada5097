"""What visitors see."""

import re

from celery.result import AsyncResult
from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from labtasks.web.sending import BrokerDown, reaching, send
from labtasks.web.site import registrations, texts
from labtasks.web.site.tasks import send_welcome_email

LONGEST = 80  # characters of a name
LONGEST_EMAIL = 254  # RFC 5321
# no more than a slip of the fingers: whether an address exists, only a mail can tell
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")

site = Blueprint("site", __name__)


@site.context_processor
def said() -> dict[str, object]:
    """Give every template the texts."""
    return {"texts": texts}


@site.get("/")
def home() -> ResponseReturnValue:
    """Lead to the form."""
    return redirect(url_for("site.form"))


@site.get("/register")
def form() -> ResponseReturnValue:
    """Show the form."""
    return render_template("register.html", problems={}, given={})


@site.post("/register")
def register() -> ResponseReturnValue:
    """Register a visitor: commit, then enqueue the mail, then answer with a redirect.

    What the broker does is no reason to fail: the registration stands, and says which mail is
    still to be sent.
    """
    name, email = (request.form.get(field, "").strip() for field in ("username", "email"))
    if problems := check(name, email):
        return render_template("register.html", problems=problems, given=request.form), 422
    try:
        made = registrations.register(name, email)
    except registrations.AlreadyRegistered:
        flash(texts.REGISTERED_BEFORE, "info")
        return redirect(url_for("site.login"), 303)
    session["mail"] = made.task_id
    try:
        send(send_welcome_email, (made.user_id,), task_id=made.task_id)
        flash(texts.REGISTERED, "success")
    except BrokerDown as why:
        current_app.logger.warning("the mail for user %d waits: %s", made.user_id, why)
        flash(texts.REGISTERED_LATER, "info")
    return redirect(url_for("site.login"), 303)


@site.get("/login")
def login() -> ResponseReturnValue:
    """Show what has happened, and how far the mail is."""
    return render_template("login.html", mail=session.get("mail"))


@site.get("/mails/<task_id>")
def mail(task_id: str) -> ResponseReturnValue:
    """Tell the state of a mail by the id of its task.

    Celery calls every id that it doesn't know PENDING; the table knows which there are.
    """
    found = registrations.find(task_id)
    if found is None:
        return {"error": texts.NO_SUCH_MAIL}, 404
    if found.mailed_at:
        # results expire, this doesn't
        return {"id": task_id, "state": "SUCCESS"}
    try:
        with reaching():
            state = AsyncResult(task_id, app=current_app.extensions["celery"]).state
    except BrokerDown:
        return {"error": texts.CANNOT_TELL}, 503, {"Retry-After": "60"}
    return {"id": task_id, "state": state}


def check(name: str, email: str) -> dict[str, str]:
    """Return what is wrong with a form, by field."""
    problems = {}
    if not 0 < len(name) <= LONGEST:
        problems["username"] = texts.NO_NAME.format(longest=LONGEST)
    if len(email) > LONGEST_EMAIL or not EMAIL.fullmatch(email):
        problems["email"] = texts.NO_EMAIL
    return problems
