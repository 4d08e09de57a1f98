"""How Spark is opened, and what its errors become."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tondo.core.errors import MissingExtraError, OutsideError, PlatformError

if TYPE_CHECKING:
    from collections.abc import Iterator

# A shuffle's part costs a task; large ones spill, and Spark joins small ones by itself.
_LOCAL_PARTITIONS = 4
_MEANING = {
    # Times are UTC, names are as written, and what does not fit is an error and never null.
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
    "spark.sql.ansi.enabled": "true",
    # A text is what it says: ${...} in it is no setting.
    "spark.sql.variable.substitute": "false",
    # It would compute x + y + z and x + (y + z) once for both: other bits in doubles.
    "spark.sql.subexpressionElimination.enabled": "false",
    # Calendar days as they are written, not moved between calendars.
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
}


def connect(url: str, *, memory_mb: int | None, folder: Path) -> tuple[Any, bool]:
    """Return a session, and whether it is ours to stop.

    `url`: `local[2]`, `spark://host:7077`, `yarn`..., or `sc://host:15002` for Spark Connect.
    Errors: TD-INSTALL-001 (no pyspark), TD-SPARK-001 (no Java), -002 (Spark does not answer).
    """
    session_class = _session_class()
    remote = url.startswith("sc://")
    if not remote:
        _require_java()
    try:
        with warnings.catch_warnings():
            # Spark warns of versions of pandas, of which nothing is used here.
            warnings.simplefilter("ignore", FutureWarning)
            if remote:
                found, ours = session_class.builder.remote(url).create(), True
            else:
                found, ours = _on_this_driver(session_class, url, memory_mb, folder)
    except Exception as error:
        # Whatever hinders a start (gateway, network, version) has its own type in Spark.
        raise OutsideError(
            "TD-SPARK-002",
            f"Spark at '{url}' cannot be reached: {_sentence(error)}",
            expected="local[*], or the address of a Spark 4 cluster (spark://..., sc://...)",
            fix="Check the setting spark_url, and that `java -version` says 17 or newer.",
            url=url,
        ) from error
    for name, value in _MEANING.items():
        found.conf.set(name, value)
    return found, ours


def _session_class() -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise MissingExtraError.of("spark", "statistics on Spark") from None
    return SparkSession


def _on_this_driver(
    session_class: Any, url: str, memory_mb: int | None, folder: Path
) -> tuple[Any, bool]:
    from pyspark import SparkContext

    if SparkContext._active_spark_context is not None:  # noqa: SLF001 - of any thread
        # One Spark a process: who started it, a notebook or a workspace, stops it.
        return session_class.builder.getOrCreate().newSession(), False
    builder = session_class.builder.master(url).appName("tondo")
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
    }
    if url.startswith("local"):
        settings |= {
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.shuffle.partitions": str(_LOCAL_PARTITIONS),
            "spark.local.dir": str(folder),
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
        }
    if memory_mb is not None:
        settings["spark.driver.memory"] = f"{memory_mb}m"
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    if url.startswith("local"):
        # Workers on this machine run this very Python, not the first on the PATH.
        session.sparkContext.pythonExec = sys.executable
    return session, True


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if (home and (Path(home) / "bin" / "java").exists()) or shutil.which("java"):
        return
    raise PlatformError(
        "TD-SPARK-001",
        "Spark runs on Java, and there is no Java here",
        expected="Java 17 or newer on the PATH, or its folder in JAVA_HOME",
        fix="Install it (Debian: apt install openjdk-17-jre-headless), or set spark_url to the"
        " address of a Spark Connect server (sc://host:15002).",
    )


@contextlib.contextmanager
def coded_errors() -> Iterator[None]:
    """Turn what Spark raises at work into TD-SPARK-003."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise PlatformError(
            "TD-SPARK-003",
            f"Spark could not go on: {_sentence(error)}",
            expected="files that every worker can read, enough memory, and room on disk",
            fix="Look at what Spark says; in local mode, raise memory_mb if it ran out.",
        ) from error


def _sentence(error: Exception) -> str:
    """Return the first line of what Spark says, or its last cause; the rest is plans and traces."""
    lines = (str(error).strip() or type(error).__name__).splitlines()
    causes = [line for line in lines if line.startswith("Caused by: ")]
    return causes[-1].removeprefix("Caused by: ") if causes else lines[0]
