"""The routes of docs/api.md: those of the OpenAPI document that the edge prints, a line each."""
import json

HEAD = "| route | for | effect | answers |\n|---|---|---|---|"


def markdown(openapi):
    lines = [_line(method.upper(), path, operation) for path, methods in json.loads(openapi)["paths"].items()
             for method, operation in methods.items()]
    return "\n".join([HEAD, *lines])


def _line(method, path, operation):
    roles = [scope for need in operation.get("security", ()) for scopes in need.values() for scope in scopes]
    answers = " ".join(sorted(status for status in operation["responses"] if status[0] in "23"))
    return f"| `{method} {path}` | {roles[0] if roles else 'anyone'} | {operation['summary']} | {answers} |"
