use std::net::{Ipv4Addr, SocketAddr};

use kmip::ProtocolVersion;
use kmip::payload::{LocateRequest, LocateResponse, RequestPayload, RevokeRequest};
use kmip::registry::{ResultStatus, RevocationReasonCode};

use super::*;

const DOMAIN: DomainId = [1; 16];
const OTHER: DomainId = [2; 16];
const ME: [u8; 16] = [9; 16];
const SOMEBODY: [u8; 16] = [8; 16];
const NOW: i64 = 1_000;

fn value(number: u8) -> CorrelationValue {
    [number; 16]
}

fn locate() -> RequestPayload {
    LocateRequest::default().into()
}

fn work(domain: DomainId, payloads: Vec<RequestPayload>) -> Box<Work> {
    let permits = vec![Permit::Full; payloads.len()];
    let told = Told::of_client(domain, [0; 32], SocketAddr::from((Ipv4Addr::LOCALHOST, 1)));
    Box::new(Work {
        client: [0; 32],
        login: Login::of_certificate([0; 32]),
        domain,
        told,
        message: RequestMessage::batch(ProtocolVersion::V1_4, payloads),
        permits,
    })
}

/// A job of one Locate with this value, released.
fn put(jobs: &Jobs, domain: DomainId, number: u8) -> u64 {
    let job = jobs.reserve(work(domain, vec![locate()]), &[(value(number), Operation::Locate)], NOW * 1_000_000);
    let job = job.unwrap();
    jobs.release(job);
    job
}

fn found() -> ResponseItem {
    ResponseItem::success(None, LocateResponse::default())
}

fn poll(jobs: &Jobs, domain: DomainId, number: u8, by: [u8; 16]) -> Polled {
    jobs.poll(domain, &value(number), by, NOW)
}

#[test]
fn an_answer_is_there_when_the_job_has_ended_and_is_fetched_once() {
    let jobs = Jobs::default();
    put(&jobs, DOMAIN, 1);
    assert!(matches!(poll(&jobs, DOMAIN, 1, ME), Polled::Pending { operation: Operation::Locate, awaited: false }));
    let taken = jobs.take().unwrap();
    assert!(matches!(poll(&jobs, DOMAIN, 1, ME), Polled::Pending { .. }));
    jobs.end(taken.number(), vec![found()], NOW);
    let Polled::Ready(answer) = poll(&jobs, DOMAIN, 1, ME) else { panic!("no answer") };
    assert_eq!(answer.lock().unwrap().outcome.status(), ResultStatus::Success);
    assert!(matches!(poll(&jobs, DOMAIN, 1, ME), Polled::Ready(_)), "the same message, worked out anew");
    assert!(matches!(poll(&jobs, DOMAIN, 1, SOMEBODY), Polled::Unknown), "another one while it is being fetched");
    jobs.settle(&value(1));
    assert!(matches!(poll(&jobs, DOMAIN, 1, ME), Polled::Unknown));
    assert!(jobs.with(|state| state.jobs.is_empty() && state.values.is_empty()));
}

#[test]
fn an_answer_that_could_not_leave_is_there_again() {
    let jobs = Jobs::default();
    let job = put(&jobs, DOMAIN, 1);
    jobs.take().unwrap();
    jobs.end(job, vec![found()], NOW);
    assert!(matches!(poll(&jobs, DOMAIN, 1, ME), Polled::Ready(_)));
    jobs.unclaim(ME);
    assert!(matches!(poll(&jobs, DOMAIN, 1, SOMEBODY), Polled::Ready(_)));
}

#[test]
fn a_value_of_another_domain_is_one_that_was_never_given() {
    let jobs = Jobs::default();
    put(&jobs, DOMAIN, 1);
    for number in [1, 7] {
        assert!(matches!(poll(&jobs, OTHER, number, ME), Polled::Unknown));
        assert_eq!(jobs.cancel(OTHER, &value(number), ME, NOW), None);
        assert!(!jobs.hurry(OTHER, &value(number), NOW));
    }
    assert!(jobs.outstanding(OTHER, NOW).is_empty());
    assert_eq!(jobs.outstanding(DOMAIN, NOW).len(), 1);
}

#[test]
fn what_was_not_begun_is_cancelled_and_never_done() {
    let jobs = Jobs::default();
    put(&jobs, DOMAIN, 1);
    assert_eq!(jobs.cancel(DOMAIN, &value(1), ME, NOW), Some(CancellationResult::Canceled));
    jobs.settle(&value(1));
    assert!(jobs.take().is_none());
}

#[test]
fn one_item_of_a_batch_is_cancelled_and_the_others_are_done() {
    let jobs = Jobs::default();
    let values = [(value(1), Operation::Locate), (value(2), Operation::Locate)];
    let job = jobs.reserve(work(DOMAIN, vec![locate(), locate()]), &values, 0).unwrap();
    jobs.release(job);
    assert_eq!(jobs.cancel(DOMAIN, &value(1), ME, NOW), Some(CancellationResult::Canceled));
    jobs.settle(&value(1));
    let taken = jobs.take().unwrap();
    assert_eq!((taken.work.message.items.len(), taken.work.permits.len()), (1, 1));
    jobs.end(job, vec![found()], NOW);
    assert!(matches!(poll(&jobs, DOMAIN, 1, ME), Polled::Unknown));
    assert!(matches!(poll(&jobs, DOMAIN, 2, ME), Polled::Ready(_)));
}

#[test]
fn what_was_begun_is_cancelled_only_if_it_changes_nothing() {
    let jobs = Jobs::default();
    let revoke: RequestPayload = RevokeRequest {
        unique_identifier: None,
        revocation_reason: kmip::attribute::RevocationReason { code: RevocationReasonCode::Unspecified, message: None },
        compromise_occurrence_date: None,
    }
    .into();
    let change = jobs.reserve(work(DOMAIN, vec![revoke]), &[(value(1), Operation::Revoke)], 0).unwrap();
    jobs.release(change);
    let look = put(&jobs, DOMAIN, 2);
    jobs.take().unwrap();
    jobs.take().unwrap();
    assert_eq!(jobs.cancel(DOMAIN, &value(1), ME, NOW), Some(CancellationResult::UnableToCancel));
    assert_eq!(jobs.cancel(DOMAIN, &value(2), ME, NOW), Some(CancellationResult::Canceled));
    jobs.settle(&value(2));
    jobs.end(look, vec![found()], NOW);
    assert!(matches!(poll(&jobs, DOMAIN, 2, ME), Polled::Unknown));
    jobs.end(change, vec![found()], NOW);
    assert_eq!(jobs.cancel(DOMAIN, &value(1), ME, NOW), Some(CancellationResult::Completed));
    assert!(matches!(poll(&jobs, DOMAIN, 1, ME), Polled::Ready(_)), "its answer is still to be had");
}

#[test]
fn a_domain_has_so_many_places_and_leaves_some_to_others() {
    let jobs = Jobs::default();
    for number in 0..JOBS_PER_DOMAIN {
        put(&jobs, DOMAIN, u8::try_from(number).unwrap());
    }
    let refused = jobs.reserve(work(DOMAIN, vec![locate()]), &[(value(200), Operation::Locate)], NOW * 1_000_000);
    assert_eq!(refused.unwrap_err().message.items.len(), 1, "the message comes back");
    put(&jobs, OTHER, 201);
}

#[test]
fn an_answer_that_nobody_fetches_is_forgotten() {
    let jobs = Jobs::default();
    let job = put(&jobs, DOMAIN, 1);
    jobs.take().unwrap();
    jobs.end(job, vec![found()], NOW);
    let late = NOW + JOB_ANSWER_LIFETIME_S;
    assert!(matches!(jobs.poll(DOMAIN, &value(1), ME, late), Polled::Unknown));
    assert!(jobs.with(|state| state.jobs.is_empty() && state.values.is_empty()));
}

#[test]
fn what_is_hurried_goes_first() {
    let jobs = Jobs::default();
    put(&jobs, DOMAIN, 1);
    let second = put(&jobs, DOMAIN, 2);
    assert!(jobs.hurry(DOMAIN, &value(2), NOW));
    assert!(matches!(poll(&jobs, DOMAIN, 2, ME), Polled::Pending { awaited: true, .. }));
    assert_eq!(jobs.take().unwrap().number(), second);
}

#[test]
fn nobody_works_on_what_was_not_yet_answered() {
    let jobs = Jobs::default();
    let job = jobs.reserve(work(DOMAIN, vec![locate()]), &[(value(1), Operation::Locate)], 0).unwrap();
    assert!(jobs.take().is_none());
    assert!(jobs.withdraw(job).is_some());
    jobs.release(job);
    assert!(jobs.take().is_none());
    assert!(matches!(poll(&jobs, DOMAIN, 1, ME), Polled::Unknown));
}

#[tokio::test]
async fn a_worker_that_waits_gets_the_job_that_arrives() {
    let jobs = Arc::new(Jobs::default());
    let waiting = tokio::spawn({
        let jobs = jobs.clone();
        async move { jobs.next().await.number() }
    });
    let job = put(&jobs, DOMAIN, 1);
    assert_eq!(waiting.await.unwrap(), job);
}
