"""Fails when the generated clients lack a value of an enum of ingest/openapi.yaml: enums.py API.TS, with liveproof_client on the path."""

import enum
import json
import re
import sys
from pathlib import Path

import liveproof_client.models
import yaml

DOCUMENT = Path(__file__).resolve().parents[2] / "ingest" / "openapi.yaml"


def enums(node: object) -> list[frozenset[str]]:
    """Every enum below a node of the document, wherever it is."""
    if isinstance(node, list):
        return [found for child in node for found in enums(child)]
    if not isinstance(node, dict):
        return []
    here = [frozenset(node["enum"])] if isinstance(node.get("enum"), list) else []
    return here + [found for child in node.values() for found in enums(child)]


def main() -> None:
    typescript = [frozenset(json.loads(values)) for values in re.findall(r"Values: ReadonlyArray<.*> = (\[.*?\]);", Path(sys.argv[1]).read_text())]
    kinds = [kind for kind in vars(liveproof_client.models).values() if isinstance(kind, enum.EnumMeta)]
    python = [frozenset(value.value for value in kind) for kind in kinds]
    wanted = enums(yaml.safe_load(DOCUMENT.read_text()))
    for name, kept in {"TypeScript": typescript, "Python": python}.items():
        lost = [sorted(values) for values in wanted if values not in kept]
        if lost:
            sys.exit(f"the {name} client lacks {lost}")
        print(f"{name}: {len(wanted)} enums of the document, {len(kept)} in the client")
    if len(wanted) < 20:
        sys.exit("the document has more enums")


if __name__ == "__main__":
    main()
