"""Schedules, calendars and runs belong to organisations: no other one sees or changes them, and a token of a home has none."""

ACTIONS = ("enable", "disable", "enable", "pause", "resume")
READS = ("", "/preview", "/dependencies", "/dependents")


def admits_org(token, org):
    return token.limits["org_id"] in ("", org) and not token.limits["home_id"] and not token.limits["subject_id"]


def make(session, own, org, mark):
    """A schedule of the organisation and a run of it, with the mark in all that can hold one. Gives the run's id."""
    schedule = f"s-{mark}"
    definition = {"id": schedule, "name": mark, "owner": mark, "labels": {"mark": mark}, "kind": "noop", "trigger": {"manual": True}}
    status, calendar = session.ask(own, "PUT /calendars/{name}", f"/calendars/c-{mark}", body={"name": mark, "dates": ["2026-12-25"]})
    session.checks.equal(f"{org} makes a calendar", (status, calendar.get("org_id")), (201, org))
    definition["policy"] = {"calendars": {"exclude": [f"c-{mark}"]}}
    status, made = session.ask(own, "POST /schedules", "/schedules", body=definition)
    session.checks.equal(f"{org} makes a schedule", (status, made.get("org_id")), (201, org))
    done = [session.ask(own, "PUT /schedules/{name}", f"/schedules/{schedule}", body=definition)[0],
            session.ask(own, "PATCH /schedules/{name}", f"/schedules/{schedule}", body={"labels": {"more": mark}})[0]]
    done += [session.ask(own, f"POST /schedules/{{name}}/{action}", f"/schedules/{schedule}/{action}")[0] for action in ACTIONS]
    done += [session.ask(own, f"GET /schedules/{{name}}{part}", f"/schedules/{schedule}{part}")[0] for part in READS]
    done.append(session.ask(own, "GET /explain", "/explain", {"schedule": schedule})[0])
    done.append(session.ask(own, "POST /schedules/preview", "/schedules/preview", body=definition)[0])
    session.checks.equal(f"and {org} changes and reads it", done, [200] * len(done))
    status, run = session.ask(own, "POST /schedules/{name}/run", f"/schedules/{schedule}/run", body={"input": {"fail": mark}})
    session.checks.equal(f"and {org} runs it", (status, run.get("org_id"), run.get("input")), (201, org, {"fail": mark}))
    return run["run_id"]


def touch_calendar(session, token, calendar):
    """(status of every route that is about one calendar) of a token that is not to find it."""
    path = f"/calendars/{calendar}"
    used = {"kind": "noop", "trigger": {"manual": True}, "policy": {"calendars": {"exclude": [calendar]}}}
    return [session.ask(token, "GET /calendars/{name}", path)[0], session.ask(token, "DELETE /calendars/{name}", path)[0],
            session.ask(token, "POST /schedules", "/schedules", body=used)[0],
            session.ask(token, "POST /schedules/preview", "/schedules/preview", body=used)[0]]


def touch(session, token, schedule, run):
    """(status of every route that is about one schedule or one run) of a token that is not to find them."""
    body = {"id": schedule, "kind": "noop", "trigger": {"manual": True}}
    answers = [session.ask(token, f"GET /schedules/{{name}}{part}", f"/schedules/{schedule}{part}") for part in READS]
    answers += [session.ask(token, f"POST /schedules/{{name}}/{action}", f"/schedules/{schedule}/{action}") for action in (*ACTIONS, "run")]
    answers += [session.ask(token, f"{method} /schedules/{{name}}", f"/schedules/{schedule}", body=content)
                for method, content in (("PUT", body), ("PATCH", {"name": "evil"}), ("DELETE", None))]
    answers.append(session.ask(token, "GET /explain", "/explain", {"schedule": schedule}))
    answers.append(session.ask(token, "GET /runs/{id}", f"/runs/{run}"))
    answers += [session.ask(token, f"POST /runs/{{id}}/{action}", f"/runs/{run}/{action}") for action in ("cancel", "retry")]
    return {status for status, _ in answers}


def lists(session, token):
    """The organisations whose schedules and runs the token is shown, or the statuses that refuse it."""
    answers = [session.ask(token, f"GET {path}", path, {"limit": 500}) for path in ("/schedules", "/runs", "/calendars")]
    answers += [session.ask(token, f"GET {path}", path) for path in ("/runs/stats", "/job_kinds", "/job_hosts")]
    statuses = {status for status, _ in answers}
    if statuses != {200}:
        return statuses
    return {row["org_id"] for _, answer in answers[:3] for row in answer["rows"]}


def check_schedules(session, admin):
    orgs = session.tenants.orgs
    owners = {org: session.add_token(f"org-{mark}", "admin", {"org_id": org, "home_id": "", "subject_id": ""})
              for org, mark in orgs.items()}
    runs = {org: make(session, owners[org], org, mark) for org, mark in orgs.items()}
    strangers = [session.add_token(f"part{number}", "admin", {**dict.fromkeys(("org_id", "home_id", "subject_id"), ""), **limits})
                 for number, limits in enumerate(({"home_id": "h1"}, {"subject_id": "s1"}, {"org_id": "north", "home_id": "h1"}))]
    for org, mark in orgs.items():
        for other in (token for name, token in owners.items() if name != org):
            session.checks.equal(f"{other.name} finds nothing of {org}", touch(session, other, f"s-{mark}", runs[org]), {404})
            status, _ = session.ask(other, "GET /schedules", "/schedules", {"org_id": org})
            session.checks.equal(f"{other.name} finds no calendar of {org}", touch_calendar(session, other, f"c-{mark}"),
                                 [404, 404, 422, 422])
            session.checks.equal(f"{other.name} may not ask for {org}", status, 403)
        for stranger in strangers:
            session.checks.equal(f"{stranger.name} has no schedules", touch(session, stranger, f"s-{mark}", runs[org]), {403})
            session.checks.equal(f"{stranger.name} has no calendars", touch_calendar(session, stranger, f"c-{mark}"), [403] * 4)
        session.checks.equal(f"{org} is shown its own", lists(session, owners[org]), {org})
    session.checks.check("an admin of all is shown every organisation", lists(session, admin) >= set(orgs), orgs)
    for stranger in strangers:
        session.checks.equal(f"{stranger.name} is shown none", lists(session, stranger), {403})
    for org, mark in orgs.items():
        _, kept = session.ask(owners[org], "GET /schedules/{name}", f"/schedules/s-{mark}")
        session.checks.equal(f"and nothing of {org} was changed", (kept["name"], kept["state"]), (mark, "active"))
        status, kept = session.ask(owners[org], "GET /calendars/{name}", f"/calendars/c-{mark}")
        session.checks.equal(f"and no calendar of {org}", (status, kept.get("version"), kept.get("name")), (200, 1, mark))
        session.ask(owners[org], "POST /runs/{id}/cancel", f"/runs/{runs[org]}/cancel")
        status, _ = session.ask(owners[org], "POST /runs/cleanup", "/runs/cleanup", body={"days": 36500})
        session.checks.equal(f"{org} cleans up", status, 200)
