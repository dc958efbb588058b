"""Checks what is in this folder: hardening, references to the program that hold, and a chart that Helm's own engine renders.

    python deploy/check.py [--program target/debug/isinglass-runtime]

Without a program, flags and settings are not compared with it. Exit status 1, and a line for each finding, if something is wrong.
"""

import argparse
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib

import jsonschema
import yaml

DEPLOY = pathlib.Path(__file__).resolve().parent
ROOT = DEPLOY.parent
RUNTIME = DEPLOY / "runtime"
CHART = RUNTIME / "helm" / "isinglass-runtime"
UNITS = sorted((RUNTIME / "systemd").glob("*.service"))
USER = 10001
PROGRAM = "/usr/local/bin/isinglass-runtime"
# The exposure that `systemd-analyze security` may find at most, of 100.
EXPOSURE_MAX = 15
COMMANDS = ("enroll", "run", "preflight", "drain", "health")
# Folders and files of an operator, which are none of this program's business.
PRIVATE = {"secrets", ".env", "__pycache__"}


class Report:
    """What was looked at and what is wrong."""

    def __init__(self):
        self.looks = 0
        self.findings = []

    def expect(self, holds, finding):
        self.looks += 1
        if not holds:
            self.findings.append(finding)

    def equal(self, where, found, wanted):
        self.expect(found == wanted, f"{where}: {found!r}, and not {wanted!r}")


def text_files():
    files = [path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".py"]
    return sorted(path for path in files if not PRIVATE.intersection(path.parts))


def workspace_version():
    return tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]


def seconds(text):
    """45s or 2min as seconds."""
    number, unit = re.fullmatch(r"(\d+)(s|m|min)", text).groups()
    return int(number) * (1 if unit == "s" else 60)


def drain_seconds():
    return tomllib.loads((RUNTIME / "runtime.toml").read_text())["drain-seconds"]


def instructions():
    """The instructions of the Containerfile, in order, as (word, rest)."""
    text = re.sub(r"\\\n\s*", "", (RUNTIME / "Containerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def check_containerfile(report):
    found = instructions()
    words = [word for word, _ in found]
    bases = [rest.split()[0] for word, rest in found if word == "FROM"]
    toolchain = tomllib.loads((ROOT / "rust-toolchain.toml").read_text())["toolchain"]["channel"]
    report.equal("Containerfile, base images", bases, [f"rust:{toolchain}-bookworm", "debian:bookworm-slim"])
    final = found[len(words) - 1 - words[::-1].index("FROM") :]
    last = {word: rest for word, rest in final}
    report.equal("Containerfile, USER", last.get("USER"), f"{USER}:{USER}")
    for word in ("EXPOSE", "VOLUME", "ADD"):
        report.expect(word not in words, f"Containerfile: {word} has no place in it")
    for word in ("ENTRYPOINT", "CMD"):
        report.expect(last.get(word, "").startswith("["), f"Containerfile, {word}: not in exec form")
    report.expect(" CMD [" in last.get("HEALTHCHECK", ""), "Containerfile, HEALTHCHECK: not in exec form")
    builds = " ".join(rest for word, rest in found if word == "RUN")
    report.expect("--release --locked --package runtime" in builds, "Containerfile: the build is not the locked release of the runtime")


def check_compose(report):
    compose = yaml.safe_load((RUNTIME / "compose.yaml").read_text())
    for name, service in compose["services"].items():
        check_service(report, f"compose.yaml, {name}", service)
    runtime, enroll = compose["services"]["runtime"], compose["services"]["enroll"]
    report.equal("compose.yaml, runtime, restart", runtime.get("restart"), "unless-stopped")
    report.expect(
        seconds(runtime.get("stop_grace_period", "0s")) > drain_seconds(), "compose.yaml, runtime: stop_grace_period is not above drain-seconds"
    )
    report.equal("compose.yaml, runtime, health", runtime["healthcheck"]["test"][:3], ["CMD", PROGRAM, "health"])
    report.equal("compose.yaml, enroll, profiles", enroll.get("profiles"), ["enroll"])
    report.expect("enrolment-token" not in json.dumps(runtime.get("secrets", [])), "compose.yaml: the running service sees the token")
    for name, secret in compose["secrets"].items():
        report.equal(f"compose.yaml, secret {name}", list(secret), ["file"])


def check_service(report, where, service):
    report.equal(f"{where}, image", service.get("image"), f"isinglass-runtime:{workspace_version()}")
    report.equal(f"{where}, user", service.get("user"), f"{USER}:{USER}")
    report.expect(service.get("read_only") is True, f"{where}: the root is not read-only")
    report.equal(f"{where}, cap_drop", service.get("cap_drop"), ["ALL"])
    report.expect("no-new-privileges:true" in service.get("security_opt", []), f"{where}: privileges may be gained")
    report.expect([path.split(":")[0] for path in service.get("tmpfs", [])] == ["/tmp"], f"{where}: /tmp is no tmpfs")
    report.equal(f"{where}, volumes", service.get("volumes"), ["data:/data"])
    for key in ("mem_limit", "memswap_limit", "cpus", "pids_limit"):
        report.expect(service.get(key), f"{where}: {key} is not limited")
    for key in ("ports", "expose", "privileged", "cap_add", "devices", "network_mode", "pid", "ipc", "userns_mode", "environment", "env_file"):
        report.expect(key not in service, f"{where}: {key} has no place in it")


def read_unit(path):
    """The settings of a unit: for each key what is said, in order."""
    settings = {}
    for line in path.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            settings.setdefault(key, []).append(value)
    return settings


HARDENED_UNIT = {
    "DynamicUser": ["yes"],
    "User": ["isinglass-runtime"],
    "StateDirectory": ["isinglass-runtime"],
    "StateDirectoryMode": ["0700"],
    "UMask": ["0077"],
    "ProtectSystem": ["strict"],
    "ProtectHome": ["yes"],
    "PrivateDevices": ["yes"],
    "PrivateTmp": ["yes"],
    "NoNewPrivileges": ["yes"],
    "CapabilityBoundingSet": [""],
    "AmbientCapabilities": [""],
    "RestrictAddressFamilies": ["AF_INET AF_INET6 AF_UNIX"],
    "SocketBindDeny": ["any"],
    "RestrictNamespaces": ["yes"],
    "MemoryDenyWriteExecute": ["yes"],
    "SystemCallArchitectures": ["native"],
    "SystemCallFilter": ["@system-service", "~@privileged @resources"],
    "LimitCORE": ["0"],
}


def check_units(report):
    for path in UNITS:
        settings = read_unit(path)
        for key, wanted in HARDENED_UNIT.items():
            report.equal(f"{path.name}, {key}", settings.get(key), wanted)
        for key in ("ReadWritePaths", "SetCredential", "Environment", "SocketBindAllow"):
            report.expect(key not in settings, f"{path.name}: {key} has no place in it")
        check_exposure(report, path)
    service = read_unit(RUNTIME / "systemd" / "isinglass-runtime.service")
    report.expect(seconds(service["TimeoutStopSec"][0]) > drain_seconds(), "isinglass-runtime.service: TimeoutStopSec is not above drain-seconds")
    report.equal("isinglass-runtime.service, Restart", service.get("Restart"), ["on-failure"])
    report.equal("isinglass-runtime.service, RestartPreventExitStatus", service.get("RestartPreventExitStatus"), ["2 4"])


def check_exposure(report, path):
    """systemd's own opinion of a unit, where systemd is."""
    if shutil.which("systemd-analyze") is None:
        print(f"{path.name}: not rated, there is no systemd-analyze")
        return
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE_MAX}", str(path)]
    rated = subprocess.run(command, capture_output=True, text=True, timeout=60)
    report.expect(rated.returncode == 0, f"{path.name}: systemd-analyze rates it {rated.stdout.strip().splitlines()[-1:]} {rated.stderr.strip()}")


def examples():
    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted((CHART / "examples").glob("*.yaml"))}


def merged(defaults, values):
    """Values over defaults, as Helm lays them."""
    if not (isinstance(defaults, dict) and isinstance(values, dict)):
        return values
    return {**defaults, **{key: merged(defaults.get(key), value) for key, value in values.items()}}


# Values that the schema has to refuse: secrets in the open, what nothing reads, and what would leave the pod worse protected.
REFUSED = [
    {"environment": {"AWS_SECRET_ACCESS_KEY": "x"}},
    {"environment": {"ISINGLASS_RUNTIME_TOKEN": "x"}},
    {"enrolment": {"token": "x"}},
    {"secrets": {"environment": [{"name": "VAULT_TOKEN", "value": "x"}]}},
    {"secrets": {"kubernetesApi": {"enabled": True, "secretNames": []}}},
    {"controlPlane": {"url": "http://catalog.example"}},
    {"controlPlane": {"url": "https://user:password@catalog.example"}},
    {"networkPolicy": {"egressCidrs": []}},
    {"securityContext": {"runAsUser": 0}},
    {"drainSeconds": "25"},
]


def check_values(report):
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    required = {tuple(error.absolute_path) for error in validator.iter_errors(defaults)}
    wanted = {("controlPlane", "url"), ("enrolment", "existingSecret"), ("networkPolicy", "egressCidrs")}
    report.equal("values.yaml, what has to be filled in", required, wanted)
    report.equal("values.yaml, keys", set(defaults), set(schema["properties"]) - {"global"})
    for name, values in examples().items():
        errors = [error.message for error in validator.iter_errors(merged(defaults, values))]
        report.equal(f"examples/{name}.yaml, errors", errors, [])
    least = merged(defaults, examples()["least"])
    for values in REFUSED:
        report.expect(not validator.is_valid(merged(least, values)), f"values.schema.json takes {json.dumps(values)}")


def check_chart(report):
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    report.equal("Chart.yaml, appVersion", chart["appVersion"], workspace_version())
    for path in (CHART / "templates").iterdir():
        kinds = re.findall(r"^kind: (Secret|Service|Ingress|ClusterRole\w*)$", path.read_text(), re.MULTILINE)
        report.equal(f"{path.name}, kinds that have no place in it", kinds, [])
    check_values(report)


def render(name, values):
    """The objects of the chart by kind, rendered by Helm's engine; nothing where that is not to be had."""
    try:
        import helm_python
    except ImportError:
        return None
    linted = helm_python.lint(CHART, values, strict=True)
    if linted["errors"]:
        raise SystemExit(f"examples/{name}.yaml: helm lint says {linted['errors']}")
    with helm_python.Chart.load(CHART) as chart:
        texts = chart.render(values, name=f"release-{name}", namespace="crawl")
    objects = [item for path, text in texts.items() if path.endswith(".yaml") for item in yaml.safe_load_all(text) if item]
    return {item["kind"]: item for item in objects}


def check_rendered(report):
    """Renders the chart for each example; gives back the objects for other checks."""
    all_objects = {}
    for name, values in examples().items():
        objects = render(name, values)
        if objects is None:
            print("chart: not rendered, Helm's engine is not there for this machine")
            return {}
        check_pod(report, f"chart, {name}", objects["StatefulSet"]["spec"]["template"]["spec"], values)
        check_network_policy(report, f"chart, {name}", objects["NetworkPolicy"]["spec"], values)
        all_objects[name] = objects
    least, everything = all_objects["least"], all_objects["all"]
    report.equal("chart, least, kinds", set(least), {"StatefulSet", "ConfigMap", "ServiceAccount", "NetworkPolicy"})
    report.equal("chart, all, kinds", set(everything) - set(least), {"Role", "RoleBinding", "PodDisruptionBudget"})
    names = examples()["all"]["secrets"]["kubernetesApi"]["secretNames"]
    rule = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": names, "verbs": ["get"]}
    report.equal("chart, all, Role", everything["Role"]["rules"], [rule])
    return all_objects


def check_pod(report, where, pod, values):
    context = pod["securityContext"]
    report.equal(f"{where}, pod", [context.get(key) for key in ("runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup")], [True, USER, USER, USER])
    report.equal(f"{where}, seccomp", context.get("seccompProfile"), {"type": "RuntimeDefault"})
    report.equal(f"{where}, volumes of the group", context.get("fsGroupChangePolicy"), "OnRootMismatch")
    asks_api = values.get("secrets", {}).get("kubernetesApi", {}).get("enabled", False)
    report.equal(f"{where}, token of the API", pod.get("automountServiceAccountToken"), asks_api)
    report.expect(pod["terminationGracePeriodSeconds"] > values.get("drainSeconds", 25), f"{where}: the pod is killed before it has drained")
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        report.expect(not pod.get(key), f"{where}: {key}")
    for volume in pod["volumes"]:
        report.expect("hostPath" not in volume, f"{where}: {volume['name']} is a folder of the node")
    for container in pod["initContainers"] + pod["containers"]:
        check_container(report, f"{where}, {container['name']}", container)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        found = pod["containers"][0].get(probe, {}).get("exec", {}).get("command", [])
        report.equal(f"{where}, {probe}", found[:2], [PROGRAM, "health"])
    visible = [mount["name"] for mount in pod["containers"][0]["volumeMounts"]]
    report.expect("enrolment" not in visible, f"{where}: the running container sees the tokens")


def check_container(report, where, container):
    wanted = {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
    }
    report.equal(f"{where}, securityContext", container.get("securityContext"), wanted)
    report.expect("ports" not in container, f"{where}: it has ports")
    report.expect(container.get("resources", {}).get("limits", {}).get("memory"), f"{where}: memory is not limited")
    written = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
    report.equal(f"{where}, what may be written", written, ["/data", "/tmp"])


def check_network_policy(report, where, policy, values):
    report.equal(f"{where}, directions", policy["policyTypes"], ["Ingress", "Egress"])
    report.equal(f"{where}, ingress", policy.get("ingress"), [])
    dns, https, *extra = policy["egress"]
    report.equal(f"{where}, name service", sorted((port["protocol"], port["port"]) for port in dns["ports"]), [("TCP", 53), ("UDP", 53)])
    report.equal(f"{where}, HTTPS", https["ports"], [{"protocol": "TCP", "port": 443}])
    report.equal(f"{where}, whom it may call", [to["ipBlock"]["cidr"] for to in https["to"]], values["networkPolicy"]["egressCidrs"])
    report.equal(f"{where}, further rules", extra, values["networkPolicy"].get("extraEgress", []))


def command_lines(objects):
    """Every call of the program in this folder: where, and the words after the program's name."""
    for word, rest in instructions():
        if word in ("CMD", "HEALTHCHECK"):
            words = json.loads(rest[rest.index("[") :])
            yield f"Containerfile, {word}", [text for text in words if text != PROGRAM]
    for name, service in yaml.safe_load((RUNTIME / "compose.yaml").read_text())["services"].items():
        yield f"compose.yaml, {name}", service["command"]
        if "test" in service["healthcheck"]:
            yield f"compose.yaml, {name}, healthcheck", service["healthcheck"]["test"][2:]
    for path in UNITS:
        yield path.name, shlex.split(read_unit(path)["ExecStart"][0])[1:]
    for name, kinds in objects.items():
        pod = kinds["StatefulSet"]["spec"]["template"]["spec"]
        yield f"chart, {name}, enroll", pod["initContainers"][0]["args"]
        runtime = pod["containers"][0]
        yield f"chart, {name}, run", runtime["args"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            yield f"chart, {name}, {probe}", runtime[probe]["exec"]["command"][1:]
    for path in (DEPLOY / "README.md", CHART / "templates" / "NOTES.txt"):
        for call in re.finditer(rf"(?:isinglass-runtime|exec runtime|runtime) ((?:{'|'.join(COMMANDS)}) --[^\n`]*)", path.read_text()):
            yield path.name, call.group(1).split()


def check_flags(report, program, objects):
    """Subcommands and flags are those that the program has."""
    helps = {command: run_program(program, command, "--help").stdout for command in COMMANDS}
    flags = {command: set(re.findall(r"^\s+(?:-\w, )?(--[a-z-]+)", text, re.MULTILINE)) for command, text in helps.items()}
    for where, (command, *words) in command_lines(objects):
        report.expect(command in flags, f"{where}: the program has no command {command}")
        for word in words:
            flag = word.split("=")[0]
            report.expect(not flag.startswith("--") or flag in flags.get(command, ()), f"{where}: {command} has no flag {flag}")
    documented = re.findall(r"`([a-z-]+)`", (ROOT / "docs" / "runtime.md").read_text())
    known = {"ISINGLASS_RUNTIME_" + key.upper().replace("-", "_") for key in documented}
    known.update(name for text in helps.values() for name in re.findall(r"ISINGLASS_RUNTIME_[A-Z_]+", text))
    for path in text_files():
        for name in re.findall(r"ISINGLASS_RUNTIME_[A-Z_]+", path.read_text()):
            report.expect(name in known, f"{path.relative_to(ROOT)}: nothing reads {name}")


def run_program(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=60, env={"COLUMNS": "100"})


def check_settings(report, program, objects):
    """The program reads the configurations: a preflight of a runtime that is not enrolled says so, and calls nobody."""
    texts = {"runtime.toml": (RUNTIME / "runtime.toml").read_text()}
    texts["runtime.toml, all of it"] = re.sub(r"^# ([a-z-]+ = )", r"\1", texts["runtime.toml"], flags=re.MULTILINE)
    texts["values.yaml"] = yaml.safe_load((CHART / "values.yaml").read_text())["configuration"]
    texts.update({f"chart, {name}": kinds["ConfigMap"]["data"]["runtime.toml"] for name, kinds in objects.items()})
    for where, text in texts.items():
        report.equal(f"{where}, preflight", preflight(program, text), (1, "not enrolled"))
    report.equal("a setting that nothing reads", preflight(program, "no-such-setting = 1\n")[0], 2)


def preflight(program, configuration):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "settings.toml")
        path.write_text(configuration)
        ended = run_program(program, "preflight", "--data", folder, "--config", str(path))
    first = ended.stdout.splitlines()[:1] or ended.stderr.splitlines()[:1]
    is_first = bool(re.match(r"failed +control plane: .*enrol", first[0])) if first else False
    return ended.returncode, "not enrolled" if is_first else first


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, help="a built isinglass-runtime, to compare flags and settings with")
    program = parser.parse_args().program
    report = Report()
    check_containerfile(report)
    check_compose(report)
    check_units(report)
    check_chart(report)
    objects = check_rendered(report)
    if program is None:
        print("flags and settings: not compared, no --program was given")
    else:
        check_flags(report, program.resolve(), objects)
        check_settings(report, program.resolve(), objects)
    for finding in report.findings:
        print(finding, file=sys.stderr)
    print(f"deploy: {report.looks} checks, {len(report.findings)} findings")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
