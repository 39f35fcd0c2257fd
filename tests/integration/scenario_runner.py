#!/usr/bin/env python3
"""Runs scenario files in the AgingOS dialect against a host over HTTP.

    scenario_runner.py --url http://127.0.0.1:8080 FILE...

Posts each event to /event, asks /deviations/evaluate, and compares. An expectation matches a deviation if rule_id is equal, severity
and title are equal where given, explanation_contains is part of the explanation, each of evidence_contains is a key of the evidence
(what the reference compares with) or one of its event ids, and window.since and window.until are equal as text where given.
Expectations take deviations in order, each once.
`pass_condition: exact` allows nothing beyond them but ignore_extra_rule_ids. Exit code 0 pass, 2 a scenario failed, 1 it could not be run.
"""
import argparse
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

import yaml


class TextDates(yaml.SafeLoader):
    """YAML without dates: a timestamp stays the text that was written."""


TextDates.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


class ScenarioError(Exception):
    pass


def load(path):
    with open(path, encoding="utf-8") as file:
        scenario = yaml.load(file, TextDates)
    missing = [key for key in ("id", "events", "evaluate", "expect") if key not in (scenario or {})]
    if missing:
        raise ScenarioError(f"{path}: missing: {', '.join(missing)}")
    return scenario


def call(url, method="GET", body=None):
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), {"Content-Type": "application/json"},
                                     method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise ScenarioError(f"{method} {url}: {error.code} {error.read().decode('utf-8', 'replace')[:500]}") from None
    except (urllib.error.URLError, OSError) as error:
        raise ScenarioError(f"{method} {url}: {error}") from None


def evidence_of(deviation):
    evidence = deviation.get("evidence", [])
    ids = evidence.get("event_ids") or [] if isinstance(evidence, dict) else []
    return [str(item) for item in (*evidence, *ids)]


def differences(expected, deviation):
    """What keeps `deviation` from being what is expected; empty if nothing."""
    found = []
    for key in ("rule_id", "severity", "title"):
        if key in expected and str(expected[key]) != str(deviation.get(key)):
            found.append(f"{key} is {deviation.get(key)!r}, expected {expected[key]!r}")
    part = expected.get("explanation_contains")
    if part is not None and part not in str(deviation.get("explanation", "")):
        found.append(f"explanation {deviation.get('explanation')!r} does not contain {part!r}")
    for item in expected.get("evidence_contains", []):
        if str(item) not in evidence_of(deviation):
            found.append(f"evidence {evidence_of(deviation)} does not contain {item!r}")
    for side in ("since", "until"):
        wanted = (expected.get("window") or {}).get(side)
        got = (deviation.get("window") or {}).get(side)
        if wanted is not None and wanted != got:
            found.append(f"window.{side} is {got!r}, expected {wanted!r}")
    return found


def judge(expect, deviations):
    """Every reason why the deviations are not what the scenario expects; empty if they are."""
    condition = expect.get("pass_condition", "contains")
    if condition not in ("contains", "exact"):
        return [f"unknown pass_condition '{condition}'"]
    problems, left = [], list(deviations)
    for number, expected in enumerate(expect.get("deviations") or [], 1):
        match = next((deviation for deviation in left if not differences(expected, deviation)), None)
        if match is not None:
            left.remove(match)
            continue
        problems.append(f"expectation {number} ({expected.get('rule_id')}) is not met")
        for deviation in left:
            if str(deviation.get("rule_id")) == str(expected.get("rule_id")):
                problems += [f"  {difference}" for difference in differences(expected, deviation)]
    if condition == "exact":
        ignored = {str(rule) for rule in expect.get("ignore_extra_rule_ids") or []}
        problems += [f"unexpected: {deviation.get('rule_id')} {deviation.get('title')!r}" for deviation in left
                     if str(deviation.get("rule_id")) not in ignored]
    return problems


def run(url, scenario):
    """The problems of one scenario against the host at `url`."""
    for event in scenario["events"] or []:
        call(f"{url}/event", "POST", event)
    window = urllib.parse.urlencode({key: scenario["evaluate"][key] for key in ("since", "until")})
    return judge(scenario["expect"] or {}, call(f"{url}/deviations/evaluate?{window}"))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--url", default="http://127.0.0.1:8080")
    arguments.add_argument("files", nargs="+")
    options = arguments.parse_args()
    status = 0
    for path in options.files:
        try:
            scenario = load(path)
            problems = run(options.url.rstrip("/"), scenario)
        except (ScenarioError, yaml.YAMLError, OSError) as error:
            print(f"ERROR   {error}")
            return 1
        print(f"{'FAILED' if problems else 'ok    '}  {scenario['id']}")
        for problem in problems:
            print(f"        {problem}")
        status = 2 if problems else status
    return status


if __name__ == "__main__":
    sys.exit(main())
