"""Errors as JSON: `{"error": "what is wrong, what is allowed, what to do"}`, never a traceback."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request

from gansmith.errors import GansmithError, UnknownNameError
from gansmith.system.text import printable_lines

HIDDEN = "the server failed at this request; its terminal says how"


class NotFoundError(UnknownNameError):
    """A run, an image or a file that is not there."""


class RefusedError(GansmithError):
    """Something that this server does for no one, or not now."""


class StaleError(GansmithError):
    """A request whose place a newer one took."""


class BusyError(GansmithError):
    """Too many requests wait already."""


class TooLargeError(GansmithError):
    """A body, or an image in it, beyond what is read."""


_STATUS: dict[type[Exception], int] = {
    NotFoundError: 404,
    RefusedError: 403,
    StaleError: 409,
    BusyError: 503,
    TooLargeError: 413,
}


def error_response(status: int, message: str) -> JSONResponse:
    """An error as it is answered."""
    return JSONResponse({"error": printable_lines(message)}, status_code=status)


def answer_errors(app: FastAPI) -> None:
    """Let `app` answer every exception as JSON."""
    app.add_exception_handler(GansmithError, _ours)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unforeseen)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    return error_response(_STATUS.get(type(error), 400), str(error))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return error_response(error.status_code, str(error.detail))


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return error_response(422, "; ".join(map(_said, error.errors()[:3])))


def _said(one: Any) -> str:
    """`body.plus.0 = 'x': Input should be ...`, with a bounded part of what was given."""
    where = ".".join(map(str, one.get("loc", ())))
    return f"{where[:100]} = {str(one.get('input'))[:80]!r}: {one.get('msg', 'is not allowed')}"


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    return error_response(500, HIDDEN)
