//! Language models with their bad days.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use autopr_fakes::model::{Reply, Request, ScriptedModel};

use super::random::Random;
use super::world::{Tally, locked};

/// How the providers answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// As they should.
    Calm,
    /// A request in five is slow or fails, in all the ways there are.
    Changeable,
    /// Three in four are answered 429.
    Limited,
    /// Every request fails.
    Outage,
}

/// What a model finds in a change that deserves it.
const ANSWER: &str = r#"{"findings":[{"path":"src/total.rs","side":"new","start_line":5,"end_line":5,"severity":"high",
    "title":"Divides by zero","reason":"An empty list has a length of zero.","fix":"Return early.",
    "quote":"    items.iter().sum::<u32>() / items.len()","replacement":null}]}"#;
const NOTHING: &str = r#"{"findings":[]}"#;

/// The scripted models and their mood.
pub(super) struct Models {
    pub(super) model: ScriptedModel,
    mood: Arc<Mutex<Mood>>,
    answers: Arc<AtomicUsize>,
}

impl Models {
    pub(super) fn new(model: ScriptedModel, random: Random, tally: Arc<Tally>) -> Self {
        let (mood, answers) = (Arc::new(Mutex::new(Mood::Changeable)), Arc::new(AtomicUsize::new(0)));
        let (current, count, chance) = (mood.clone(), answers.clone(), Mutex::new(random));
        model.answer_with(move |request| {
            let reply = reply(*locked(&current), request, &mut locked(&chance), &tally);
            if answers_in_the_end(&reply) {
                count.fetch_add(1, Ordering::SeqCst);
            }
            Some(reply)
        });
        Self { model, mood, answers }
    }

    /// How many answers were given that have to be paid.
    pub(super) fn answers(&self) -> usize {
        self.answers.load(Ordering::SeqCst)
    }

    /// Puts them into a mood for a time.
    pub(super) fn spell(&self, mood: Mood, time: Duration) {
        *locked(&self.mood) = mood;
        std::thread::sleep(time);
        *locked(&self.mood) = Mood::Changeable;
    }

    /// From now on every request is answered.
    pub(super) fn calm(&self) {
        *locked(&self.mood) = Mood::Calm;
    }
}

fn reply(mood: Mood, request: &Request, chance: &mut Random, tally: &Tally) -> Reply {
    let answer = Reply::answer(if request.contains("<<<<<<< HEAD") { ANSWER } else { NOTHING });
    let limited = |chance: &mut Random| match chance.chance(500) {
        true => ("provider: 429 with a hint", Reply::error_with(429, "rate_limit_exceeded", &[("retry-after", "2")])),
        false => ("provider: 429 without a hint", Reply::error(429, "rate_limit_exceeded")),
    };
    let (kind, reply) = match mood {
        Mood::Calm => return answer,
        Mood::Limited if chance.chance(750) => limited(chance),
        Mood::Limited => return answer,
        Mood::Outage => ("provider: outage", Reply::error(503, "overloaded")),
        Mood::Changeable => match chance.below(40) {
            0 => ("provider: 500", Reply::error(500, "server_error")),
            1 => ("provider: connection lost", Reply::Drop),
            2 => ("provider: nonsense", Reply::Garbage),
            3 => ("provider: answer cut", Reply::Truncate(Box::new(answer))),
            4 => ("provider: useless answer", Reply::answer("It looks fine to me.")),
            5 => limited(chance),
            6 | 7 => ("provider: slow", Reply::After(chance.millis(200..2500), Box::new(answer))),
            _ => return answer,
        },
    };
    tally.fault(kind);
    reply
}

fn answers_in_the_end(reply: &Reply) -> bool {
    match reply {
        Reply::Answer { .. } => true,
        Reply::After(_, then) | Reply::Truncate(then) => answers_in_the_end(then),
        _ => false,
    }
}
