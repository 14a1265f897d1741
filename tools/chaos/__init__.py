"""Faults on a real system. Every run has a stack with a proxy in each link, a stream of orders, and a verdict.

    from chaos.stack import chaos_stack
    from chaos.traffic import Traffic
    from chaos.verdict import Judge

    with chaos_stack("release") as system:          # everything runs, the catalogue is there
        judge = Judge(system)                       # keeps what it has said: a violation is reported once
        with Traffic(system.url("edge")) as load:   # 50 orders of all kinds a second
            load.run_for(3)
            system.link("order-pg").half_open()     # or system.kill("order-svc"), system.restart_with(name, {…}), …
            load.run_for(5)
            system.heal()                           # every link as it was, everything started
            load.run_for(3)
        verdict = judge.judge(load)            # at rest, invariants 1 to 5, lost, doubled, vacuity
        assert verdict.good(), verdict.lines()

stack.ChaosStack      a dev.stack.Stack, so it has kill, signal, start_service, …; and link(name), links, heal(),
                      restart_with(service, {variable: value})
links.Link            cut(), reset(), slow_close(), half_open(), slow(), narrow(), sliced(), toxic(type, …), clear()
traffic.Traffic       start(), stop(), run_for(seconds); attempts, accepted, count(kind, begin, end)
answers.Answers       what clients saw in a window: load.answers(begin, end)
progress.Progress     how many orders are final, over time; recovered(load, …) says how soon the rate is back
verdict.Judge         judge(load, periods=…) → Verdict: lost, doubled, violations, invalid, good(), lines()
scenario, expect      Scenario, Episode, Expectation; run(system, judge, SCENARIO, …) → Report; Tour: several at once
invariants            the five invariants of a stack, or of any system: check_at_rest(sources), check_running(sources)

All times are time.monotonic(). A scenario is a module of chaos.scenarios with one SCENARIO; ./dev chaos runs it by its
name. crash_matrix has a fault at each step of each service.
"""
