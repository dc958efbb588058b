//! The session, one situation at a time. What happens when everything happens at once is for the simulation.

use wire::{CredentialReference, Gate, KeyType, SourceJob, TaskAction, Work};

use super::*;

struct Desk {
    session: Session,
    now: Now,
}

impl Desk {
    /// A session that has signed in and asked for work.
    fn at_work() -> (Self, RequestId) {
        let settings = Settings { capacity: 1, drain_ms: 25_000 };
        let session = Session::new(settings, Vec::new(), fastrand::Rng::with_seed(1));
        let mut desk = Self { session, now: Now { steady_ms: 0, wall_ms: 1_700_000_000_000 } };
        let (token, request) = desk.only_sent(Event::Woken);
        assert_eq!(request, Request::Token { at_seconds: 1_700_000_000 });
        let actions = desk.answer(token, Reply::Token { lasts_ms: 900_000 });
        let (poll, _) = sent(&actions).pop().unwrap();
        (desk, poll)
    }

    /// The same with a crawl under way; gives the request for a heartbeat.
    fn crawling() -> (Self, RequestId) {
        let (mut desk, poll) = Self::at_work();
        let actions = desk.answer(poll, Reply::Lease(Box::new(LeaseAnswer { work: Some(crawl()) })));
        assert!(actions.iter().any(|action| matches!(action, Action::StartCrawl { .. })), "{actions:?}");
        let heartbeat = sent(&actions).into_iter().find(|(_, request)| matches!(request, Request::Heartbeat { .. }));
        (desk, heartbeat.unwrap().0)
    }

    fn tell(&mut self, event: Event) -> Vec<Action> {
        self.session.handle(self.now, event)
    }

    fn answer(&mut self, request: RequestId, reply: Reply) -> Vec<Action> {
        self.tell(Event::Replied { request, outcome: Outcome::Answered(reply) })
    }

    fn refuse(&mut self, request: RequestId, code: Code) -> Vec<Action> {
        let outcome = Outcome::Refused { code, detail: "no".to_owned(), retry_after_ms: 0 };
        self.tell(Event::Replied { request, outcome })
    }

    fn lose(&mut self, request: RequestId) -> Vec<Action> {
        let outcome = Outcome::Unreachable { detail: "away".to_owned(), retry_after_ms: 0 };
        self.tell(Event::Replied { request, outcome })
    }

    fn only_sent(&mut self, event: Event) -> (RequestId, Request) {
        let actions = self.tell(event);
        let mut sent = sent(&actions);
        assert_eq!(sent.len(), 1, "{actions:?}");
        sent.pop().unwrap()
    }

    /// Waits for the next alarm and gives what is sent then.
    fn wake(&mut self) -> Vec<Action> {
        self.now.steady_ms = self.session.next_wake().unwrap();
        self.tell(Event::Woken)
    }
}

fn sent(actions: &[Action]) -> Vec<(RequestId, Request)> {
    let sent = |action: &Action| {
        let Action::Send { id, request } = action else { return None };
        Some((*id, request.clone()))
    };
    actions.iter().filter_map(sent).collect()
}

fn lease_id() -> LeaseId {
    LeaseId("41.3".to_owned())
}

fn source() -> SourceJob {
    let credential = CredentialReference {
        auth_type: "ambient".to_owned(),
        secret_store: None,
        secret_path: None,
        key_type: KeyType::SingleKey,
        values: BTreeMap::new(),
    };
    SourceJob { connector: "glue".to_owned(), connection: "sales".to_owned(), region: None, credential }
}

fn crawl() -> Work {
    let lease = Lease { id: lease_id(), run: 17, attempt: 1, heartbeat_seconds: 10, lease_seconds: 60 };
    let settings = serde_json::json!({});
    let job = CrawlJob { source: source(), connection_number: 7, account: None, settings, preflight: Gate::Off, is_first: true };
    Work::Crawl { lease, job: Box::new(job) }
}

fn stops(actions: &[Action]) -> Vec<Why> {
    let why = |action: &Action| {
        let Action::StopCrawl { why, .. } = action else { return None };
        Some(why.clone())
    };
    actions.iter().filter_map(why).collect()
}

#[test]
fn a_token_is_replaced_after_two_thirds_of_its_life() {
    let (mut desk, _) = Desk::at_work();
    desk.now.steady_ms = 599_999;
    assert!(sent(&desk.tell(Event::Woken)).is_empty());
    desk.now.steady_ms = 600_000;
    assert!(matches!(desk.only_sent(Event::Woken).1, Request::Token { .. }));
}

#[test]
fn a_clock_that_is_wrong_is_corrected_for_once_and_then_it_is_waited() {
    let settings = Settings { capacity: 1, drain_ms: 0 };
    let session = Session::new(settings, Vec::new(), fastrand::Rng::with_seed(1));
    let mut desk = Desk { session, now: Now { steady_ms: 0, wall_ms: 1_000_000 } };
    let (token, _) = desk.only_sent(Event::Woken);
    let refused = |server_seconds| Outcome::TokenRefused { detail: "time".to_owned(), server_seconds: Some(server_seconds) };
    let actions = desk.tell(Event::Replied { request: token, outcome: refused(5_000) });
    let again = sent(&actions);
    assert_eq!(again[0].1, Request::Token { at_seconds: 5_000 });
    let actions = desk.tell(Event::Replied { request: again[0].0, outcome: refused(9_000) });
    assert!(sent(&actions).is_empty() && desk.session.next_wake().unwrap() >= 500, "{actions:?}");
    assert_eq!(sent(&desk.wake())[0].1, Request::Token { at_seconds: 9_000 });
}

#[test]
fn an_unknown_token_is_replaced_before_anything_else_is_sent() {
    let (mut desk, heartbeat) = Desk::crawling();
    let actions = desk.refuse(heartbeat, Code::Unauthenticated);
    let sent = sent(&actions);
    assert!(sent.len() == 1 && matches!(sent[0].1, Request::Token { .. }), "{actions:?}");
}

#[test]
fn a_revoked_runtime_leaves_and_says_nothing_more() {
    let (mut desk, heartbeat) = Desk::crawling();
    let actions = desk.refuse(heartbeat, Code::Revoked);
    assert!(matches!(actions[..], [Action::Exit(Exit::Revoked)]), "{actions:?}");
    assert!(desk.tell(Event::Woken).is_empty() && desk.session.next_wake().is_none());
}

#[test]
fn a_lease_that_is_lost_is_stopped_and_forgotten() {
    for what in ["refused", "abandoned"] {
        let (mut desk, heartbeat) = Desk::crawling();
        let actions = match what {
            "refused" => desk.refuse(heartbeat, Code::LeaseLost),
            _ => desk.answer(heartbeat, Reply::Heartbeat(Command::Abandon)),
        };
        assert_eq!(stops(&actions), [Why::Abandoned]);
        assert!(actions.iter().any(|action| matches!(action, Action::Forget { lease } if *lease == lease_id())), "{actions:?}");
        assert!(desk.session.holding().is_empty());
    }
}

#[test]
fn batches_go_one_after_the_other_and_the_end_after_the_last() {
    let (mut desk, _) = Desk::crawling();
    let spooled = |sequence| Event::Spooled { lease: lease_id(), sequence: Sequence(sequence) };
    let (first, request) = desk.only_sent(spooled(1));
    assert_eq!(request, Request::Upload { lease: lease_id(), run: 17, sequence: Sequence(1) });
    assert!(sent(&desk.tell(spooled(2))).is_empty());
    let ended = desk.tell(Event::Ended { lease: lease_id(), rest: Rest::Upload });
    assert!(sent(&ended).iter().all(|(_, request)| matches!(request, Request::Lease { .. })), "{ended:?}");
    let actions = desk.answer(first, Reply::Stored(Sequence(1)));
    assert!(matches!(actions[0], Action::ForgetBatch { sequence: Sequence(1), .. }), "{actions:?}");
    let (second, _) = sent(&actions)[0];
    let actions = desk.answer(second, Reply::Stored(Sequence(2)));
    let (finish, request) = sent(&actions).pop().unwrap();
    assert_eq!(request, Request::Finish { lease: lease_id(), batches: Sequence(2) });
    let actions = desk.answer(finish, Reply::Accepted);
    assert!(matches!(actions[0], Action::Forget { .. }), "{actions:?}");
}

#[test]
fn a_spool_that_does_not_continue_hands_the_run_back_and_a_batch_that_is_not_taken_fails_it() {
    for (code, is_handed_back) in
        [(Code::BatchDiffers, true), (Code::BatchOutOfOrder, true), (Code::Malformed, false), (Code::TooLarge, false)]
    {
        let (mut desk, _) = Desk::crawling();
        let (upload, _) = desk.only_sent(Event::Spooled { lease: lease_id(), sequence: Sequence(1) });
        let stops = stops(&desk.refuse(upload, code));
        assert!(
            matches!((&stops[..], is_handed_back), ([Why::HandedBack(_)], true) | ([Why::Failed(_)], false)),
            "{code:?} {stops:?}"
        );
    }
}

#[test]
fn a_batch_that_arrives_as_something_else_again_and_again_fails_the_run() {
    let (mut desk, _) = Desk::crawling();
    let (mut upload, _) = desk.only_sent(Event::Spooled { lease: lease_id(), sequence: Sequence(1) });
    for _ in 0..100 {
        let actions = desk.refuse(upload, Code::DigestMismatch);
        if let [Why::Failed(_)] = stops(&actions)[..] {
            return;
        }
        upload = loop {
            let sent = sent(&desk.wake()).into_iter().find(|(_, request)| matches!(request, Request::Upload { .. }));
            if let Some((id, _)) = sent {
                break id;
            }
        };
    }
    panic!("it is tried for ever");
}

#[test]
fn an_end_that_is_not_taken_is_replaced_once_and_then_left_to_its_lease() {
    let (mut desk, _) = Desk::crawling();
    let ended = || Event::Ended { lease: lease_id(), rest: Rest::Discard };
    let finish = |actions: &[Action]| sent(actions).into_iter().find(|(_, request)| matches!(request, Request::Finish { .. }));
    let (first, _) = finish(&desk.tell(ended())).unwrap();
    assert!(matches!(stops(&desk.refuse(first, Code::Malformed))[..], [Why::Failed(_)]));
    desk.tell(ended());
    let second = loop {
        if let Some((id, _)) = finish(&desk.wake()) {
            break id;
        }
    };
    assert_eq!(stops(&desk.refuse(second, Code::Malformed)), [Why::Abandoned]);
}

#[test]
fn who_can_do_without_an_answer_has_none_while_the_control_plane_is_away_and_others_wait() {
    let (mut desk, heartbeat) = Desk::crawling();
    desk.lose(heartbeat);
    let asked = |number, patience| Event::Asked { lease: lease_id(), number, after: Sequence(0), patience };
    let actions = desk.tell(asked(1, Patience::WhileReachable));
    assert!(actions.iter().any(|action| matches!(action, Action::Answer { number: 1, answer: None, .. })), "{actions:?}");
    let actions = desk.tell(asked(2, Patience::UntilAnswered));
    assert!(!actions.iter().any(|action| matches!(action, Action::Answer { .. })), "{actions:?}");
}

#[test]
fn a_question_is_asked_when_what_it_is_about_has_arrived() {
    let (mut desk, _) = Desk::crawling();
    let (upload, _) = desk.only_sent(Event::Spooled { lease: lease_id(), sequence: Sequence(1) });
    let asked = Event::Asked { lease: lease_id(), number: 1, after: Sequence(1), patience: Patience::UntilAnswered };
    assert!(sent(&desk.tell(asked)).is_empty());
    let actions = desk.answer(upload, Reply::Stored(Sequence(1)));
    assert_eq!(sent(&actions)[0].1, Request::Question { lease: lease_id(), run: 17, number: 1 });
}

#[test]
fn a_task_that_nobody_waits_for_any_more_is_stopped() {
    let (mut desk, poll) = Desk::at_work();
    let id = TaskId("5".to_owned());
    let job = TaskJob { id: id.clone(), within_seconds: 25, action: TaskAction::TestSignIn, source: source() };
    desk.answer(poll, Reply::Lease(Box::new(LeaseAnswer { work: Some(Work::Task(Box::new(job))) })));
    desk.now.steady_ms = 25_000;
    let actions = desk.tell(Event::Woken);
    assert!(actions.iter().any(|action| matches!(action, Action::StopTask { task } if *task == id)), "{actions:?}");
    assert!(sent(&desk.tell(Event::TaskDone { task: id })).is_empty());
}

#[test]
fn a_stop_takes_no_more_hands_back_in_time_and_gives_up_in_the_end() {
    let (mut desk, _) = Desk::crawling();
    assert!(stops(&desk.tell(Event::Drain)).is_empty());
    desk.now.steady_ms = 25_000;
    assert!(matches!(stops(&desk.tell(Event::Woken))[..], [Why::HandedBack(_)]));
    desk.now.steady_ms = 25_000 + drain::GIVE_BACK_MS;
    let actions = desk.tell(Event::Woken);
    assert!(matches!(actions[..], [Action::Exit(Exit::Left)]), "{actions:?}");
}

#[test]
fn a_run_that_comes_while_the_runtime_stops_is_handed_back_at_once() {
    let (mut desk, poll) = Desk::at_work();
    // Something keeps it from leaving at once.
    let recovered = Recovered {
        lease: Lease { id: LeaseId("40.1".to_owned()), run: 16, attempt: 1, heartbeat_seconds: 10, lease_seconds: 60 },
        acknowledged: Sequence(0),
        spooled: Sequence(1),
        rest: Rest::Upload,
        has_checks: false,
    };
    desk.session.runs.insert(recovered.lease.id.clone(), Run::recovered(recovered));
    desk.tell(Event::Drain);
    let actions = desk.answer(poll, Reply::Lease(Box::new(LeaseAnswer { work: Some(crawl()) })));
    assert!(matches!(stops(&actions)[..], [Why::HandedBack(_)]), "{actions:?}");
}

#[test]
fn when_the_control_plane_is_back_nothing_waits_any_longer() {
    let (mut desk, heartbeat) = Desk::crawling();
    let (upload, _) = desk.only_sent(Event::Spooled { lease: lease_id(), sequence: Sequence(1) });
    desk.lose(upload);
    assert!(desk.session.is_away());
    let actions = desk.answer(heartbeat, Reply::Heartbeat(Command::Continue));
    assert!(actions.iter().any(|action| matches!(action, Action::Note(Note::Back))));
    assert!(sent(&actions).iter().any(|(_, request)| matches!(request, Request::Upload { .. })), "{actions:?}");
}
