"""`gansmith explore`: runs in a page of the browser, served from this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gansmith import zoo
from gansmith.cli.arguments import echo, run_or_zoo
from gansmith.system.text import printable

_Host = Annotated[str, typer.Option(help="where to listen; another than 127.0.0.1 is reached by others on the network")]
_Port = Annotated[
    int | None, typer.Option(min=0, max=65535, help="0 for any that is free  [default: 8642, or any that is free]")
]
_Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="open the page in the browser")]
_Allow = Annotated[list[str] | None, typer.Option(help="another name by which the page is reached; repeatable")]


def explore(
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN | FOLDER]", help="a run, or a folder of runs  [default: runs]", callback=run_or_zoo
        ),
    ] = None,
    *,
    images: Annotated[
        Path | None, typer.Option(help="images that the page may train on; of a run whose images moved: these")
    ] = None,
    host: _Host = "127.0.0.1",
    port: _Port = None,
    browser: _Browser = True,
    read_only: Annotated[bool, typer.Option("--read-only", help="the page writes nothing and starts nothing")] = False,
    allow_host: _Allow = None,
) -> None:
    """Open runs in a page: look, mix, edit, translate, judge, and watch a training (needs the extra `explore`).

    The address that is printed holds a token, which is asked of everybody. Ctrl-C ends it.
    """
    from importlib.util import find_spec

    from gansmith.errors import OptionError, RunError
    from gansmith.system.extras import missing_extra

    if find_spec("fastapi") is None or find_spec("uvicorn") is None:
        raise missing_extra("gansmith explore needs fastapi and uvicorn", "explore")
    opened = Path("runs") if run is None else run
    of_zoo = zoo.name_of(opened)  # which is not written to
    if images is not None and not images.exists():
        raise OptionError(f"--images {printable(images)}: there is no such folder")
    if run is not None and not opened.exists() and images is None:
        raise RunError(f"there is no run and no folder {printable(run)}. {_near(run)}")
    echo("gansmith explore: loading what computes images, some seconds the first time", err=True)
    from gansmith.runs import page_work
    from gansmith.web.serve import listen, serve
    from gansmith.web.settings import Settings

    listening = listen(host, port)
    chosen = int(listening.getsockname()[1])
    names = tuple(f"[{name}]" if ":" in name and name[0] != "[" else name for name in (host, *(allow_host or [])))
    unwritten = read_only or of_zoo is not None
    settings = Settings(opened=opened, port=chosen, hosts=names, read_only=unwritten, zoo=of_zoo, images=images)
    address = f"http://{_name(host)}:{chosen}/?token={settings.token}"

    def tell() -> None:
        print(address, flush=True)
        echo("open this address in a browser; Ctrl-C ends the page", err=True)
        if (job := page_work.running(opened)) is not None:
            echo(f"{page_work.said(job)} still runs, begun by a page before this one: it is shown there", err=True)
        if browser:
            import webbrowser

            webbrowser.open(address)

    serve(settings, listening, started=tell)


def _near(run: Path) -> str:
    """The runs beside a path that is none, and the names of the zoo; the nearest of them first."""
    from gansmith.errors import nearest

    try:
        beside = sorted(str(file.parent) for file in run.parent.glob("*/experiment.yaml"))
        folders = sorted({str(file.parents[1]) for file in run.parent.glob("*/*/experiment.yaml")})
    except OSError:
        beside, folders = [], []
    names = {Path(one).name: one for one in (*zoo.names(), *folders, *beside)}
    near = nearest(run.name, names)
    guess = next((f"Did you mean {path!r}? " for name, path in names.items() if repr(name) in near), "")
    few = ", ".join(map(printable, (beside or folders)[:8])) or "none"
    kind = "Folders of runs here" if folders and not beside else "Runs beside it"
    return f"{guess}{kind}: {few}. Models of the zoo: {', '.join(zoo.names())}"


def _name(host: str) -> str:
    """The host as it is written in an address; of all addresses of this machine the loopback."""
    if host in ("0.0.0.0", "::", ""):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
