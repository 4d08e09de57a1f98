"""`tondo lineage`: the way from anything back to its source rows, or on to what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tondo.core.errors import NotFoundError
from tondo.faces.cli.opening import HERE, Json, Project, opened
from tondo.faces.cli.show import console_for_output, show

if TYPE_CHECKING:
    from rich.tree import Tree

    from tondo.workspace.facade import Workspace
    from tondo.workspace.pages import PredictionDetail


def lineage(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Any id, or its first characters.")],
    *,
    down: Annotated[bool, typer.Option("--down", help="To what came of it.")] = False,
    project: Project = HERE,
    json: Json = False,
) -> None:
    """Walk from a prediction, a version, a snapshot, ... back to the source rows."""
    with opened(project) as workspace:
        found = _found(workspace, id_, down=down)
    if json:
        show(found, as_json=True)
    elif hasattr(found, "stages"):
        console_for_output().print(_prediction_tree(found))
    else:
        console_for_output().print(_tree(found))


def _found(workspace: Workspace, id_: str, *, down: bool) -> Any:
    """Return a record's lineage, or what is told of a prediction: the log holds those."""
    if down:
        return workspace.flow.lineage(id_, direction="down")
    try:
        workspace.flow.record(id_)
    except NotFoundError:
        return workspace.monitoring.prediction(id_)
    return workspace.flow.lineage(id_)


def _prediction_tree(detail: PredictionDetail) -> Tree:
    from rich.tree import Tree

    root = Tree(f"[bold]prediction[/bold] {detail.id}  score {detail.score}")
    branch = root
    for stage in detail.stages:
        nodes = [
            branch.add(f"[dim]{stage.role}[/dim] [bold]{each.kind}[/bold] {each.title}  {each.id}")
            for each in stage.nodes
        ]
        branch = nodes[-1] if nodes else branch
    return root


def _tree(found: Any) -> Tree:
    from rich.tree import Tree

    records = {(each.kind, each.id): each for each in found.nodes}
    below: dict[tuple[str, str], list[tuple[str, tuple[str, str]]]] = {}
    for edge in found.edges:
        parent = (edge.parent_kind, edge.parent_id)
        child = (edge.child_kind, edge.child_id)
        below.setdefault(child, []).append((edge.role, parent))
    first = (found.nodes[0].kind, found.nodes[0].id)
    root = Tree(f"[bold]{first[0]}[/bold] {first[1]}")
    seen = {first}

    def grow(tree: Tree, key: tuple[str, str]) -> None:
        for role, each in below.get(key, []):
            again = each in seen
            seen.add(each)
            mark = " (above)" if again else ""
            twig = tree.add(f"[dim]{role}[/dim] [bold]{each[0]}[/bold] {each[1]}{mark}")
            if not again and each in records:
                grow(twig, each)

    grow(root, first)
    return root
