//! A model that answers what a test wrote down, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::fault::{Fault, FaultKind, Retry};
use crate::ports::Model;
use crate::ports::model::{Completion, Limits, Prompt, Stopped};

/// What a [`ScriptedModel`] does when it is asked.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Answers with this text.
    Text(String),
    /// Fails.
    Fails(FaultKind, Retry),
    /// Takes this long on the manual clock, then answers.
    After(Clock, Duration, String),
}

/// A [`Model`] that follows a script; after its end it repeats the last answer.
#[derive(Debug)]
pub struct ScriptedModel {
    script: Mutex<VecDeque<Answer>>,
    prompts: Mutex<Vec<Prompt>>,
}

impl ScriptedModel {
    /// A model that gives these answers in turn.
    pub fn new(script: impl IntoIterator<Item = Answer>) -> Self {
        Self { script: Mutex::new(script.into_iter().collect()), prompts: Mutex::default() }
    }

    /// What it was asked, in order.
    pub fn prompts(&self) -> Vec<Prompt> {
        self.prompts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn next(&self) -> Option<Answer> {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        if script.len() > 1 { script.pop_front() } else { script.front().cloned() }
    }
}

#[async_trait]
impl Model for ScriptedModel {
    fn provider(&self) -> &str {
        "scripted"
    }

    fn model(&self) -> &str {
        "script-1"
    }

    async fn complete(&self, prompt: &Prompt, _limits: Limits) -> Result<Completion, Fault> {
        self.prompts.lock().unwrap_or_else(PoisonError::into_inner).push(prompt.clone());
        let text = match self.next() {
            Some(Answer::Text(text)) => text,
            Some(Answer::Fails(kind, retry)) => return Err(Fault::new(kind, "the script says so").retry(retry)),
            Some(Answer::After(clock, duration, text)) => {
                clock.sleep(duration).await;
                text
            }
            None => return Err(Fault::new(FaultKind::Bug, "the script is empty")),
        };
        Ok(Completion { text, input_tokens: 100, output_tokens: 20, stopped: Stopped::Complete })
    }
}
