//! What a page did besides what it shows: its console, its exceptions, its requests.

use std::collections::HashMap;

use chromiumoxide::cdp::IntoEventKind;
use chromiumoxide::cdp::browser_protocol::log::{EventEntryAdded, LogEntryLevel, LogEntrySource};
use chromiumoxide::cdp::browser_protocol::network::{
    EventLoadingFailed, EventRequestWillBeSent, EventResponseReceived,
};
use chromiumoxide::cdp::js_protocol::runtime::{
    EventConsoleApiCalled, EventExceptionThrown, ExceptionDetails, RemoteObject,
};
use chromiumoxide::listeners::EventStream;
use futures::{FutureExt as _, StreamExt as _};

use super::within;
use crate::Error;

/// The messages of the browser that a report is made of.
pub(super) const IS_REPORTED: [&str; 6] = [
    EventConsoleApiCalled::IDENTIFIER,
    EventExceptionThrown::IDENTIFIER,
    EventEntryAdded::IDENTIFIER,
    EventRequestWillBeSent::IDENTIFIER,
    EventResponseReceived::IDENTIFIER,
    EventLoadingFailed::IDENTIFIER,
];

/// One message on the console of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleMessage {
    /// `log`, `info`, `warning`, `error` and so on.
    pub level: String,
    /// What was said.
    pub text: String,
}

/// A request that got no answer, or one with a status of 400 or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRequest {
    /// What was asked for.
    pub url: String,
    /// Why it failed.
    pub reason: String,
}

/// Everything that a page did since its tab was opened.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What its scripts, and the browser itself, wrote on the console.
    pub console: Vec<ConsoleMessage>,
    /// Exceptions that nothing caught.
    pub exceptions: Vec<String>,
    /// Every URL that was requested, also those that were refused.
    pub requests: Vec<String>,
    /// Requests that failed.
    pub failed_requests: Vec<FailedRequest>,
}

impl Report {
    /// What a page without a fault has none of, one line each: errors and warnings on the console, exceptions, and
    /// failed requests.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let console = self
            .console
            .iter()
            .filter(|message| ["error", "warning", "assert"].contains(&message.level.as_str()))
            .map(|message| format!("console {}: {}", message.level, message.text));
        let exceptions = self
            .exceptions
            .iter()
            .map(|exception| format!("exception: {exception}"));
        let requests = self
            .failed_requests
            .iter()
            .map(|request| format!("request: {}: {}", request.url, request.reason));
        console.chain(exceptions).chain(requests).collect()
    }

    /// The requests that would have left this machine if they could.
    #[must_use]
    pub fn outside_requests(&self) -> Vec<&str> {
        self.requests
            .iter()
            .map(String::as_str)
            .filter(|url| !is_local(url))
            .collect()
    }
}

/// Whether the URL is of this machine, or of the page itself.
fn is_local(url: &str) -> bool {
    if ["data:", "blob:", "about:", "file:///"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
    {
        return true;
    }
    let Some((_, rest)) = url.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.split(':').next().unwrap_or_default();
    ["127.0.0.1", "localhost"].contains(&host)
}

/// The messages of one tab, as they come in.
pub(super) struct Events {
    console: EventStream<EventConsoleApiCalled>,
    exceptions: EventStream<EventExceptionThrown>,
    entries: EventStream<EventEntryAdded>,
    requests: EventStream<EventRequestWillBeSent>,
    responses: EventStream<EventResponseReceived>,
    failures: EventStream<EventLoadingFailed>,
    urls: HashMap<String, String>,
    report: Report,
    syncs: usize,
}

impl Events {
    /// Begins to listen.
    pub(super) async fn of(tab: &chromiumoxide::Page) -> Result<Self, Error> {
        Ok(Self {
            console: listen(tab).await?,
            exceptions: listen(tab).await?,
            entries: listen(tab).await?,
            requests: listen(tab).await?,
            responses: listen(tab).await?,
            failures: listen(tab).await?,
            urls: HashMap::new(),
            report: Report::default(),
            syncs: 0,
        })
    }

    /// The report so far, with everything that the browser said before this call.
    ///
    /// Messages and answers take different ways through the library, so the end of the messages is marked with one of
    /// our own. When that was seen, and one more question answered, the library has passed on all that came before.
    pub(super) async fn report(&mut self, tab: &chromiumoxide::Page) -> Result<Report, Error> {
        self.syncs += 1;
        let mark = format!("operator-testing: end {}", self.syncs);
        within("mark its messages", tab.execute(mark_params(&mark))).await?;
        within("pass on its messages", async {
            while let Some(event) = self.console.next().await {
                let message = console_message(&event.args, event.r#type.as_ref());
                if message.text == mark {
                    break;
                }
                self.report.console.push(message);
            }
            tab.execute(mark_params("")).await
        })
        .await?;
        self.drain();
        Ok(self.report.clone())
    }

    fn drain(&mut self) {
        while let Some(Some(event)) = self.console.next().now_or_never() {
            let message = console_message(&event.args, event.r#type.as_ref());
            // The second mark is empty.
            if !message.text.is_empty() {
                self.report.console.push(message);
            }
        }
        while let Some(Some(event)) = self.exceptions.next().now_or_never() {
            self.report
                .exceptions
                .push(exception_text(&event.exception_details));
        }
        while let Some(Some(event)) = self.entries.next().now_or_never() {
            // A failed request is in the report already.
            if event.entry.source != LogEntrySource::Network || event.entry.level != LogEntryLevel::Error {
                self.report.console.push(ConsoleMessage {
                    level: event.entry.level.as_ref().to_owned(),
                    text: event.entry.text.clone(),
                });
            }
        }
        while let Some(Some(event)) = self.requests.next().now_or_never() {
            let url = event.request.url.clone();
            self.urls.insert(event.request_id.inner().clone(), url.clone());
            self.report.requests.push(url);
        }
        while let Some(Some(event)) = self.responses.next().now_or_never() {
            if event.response.status >= 400 {
                self.report.failed_requests.push(FailedRequest {
                    url: event.response.url.clone(),
                    reason: format!("status {}", event.response.status),
                });
            }
        }
        while let Some(Some(event)) = self.failures.next().now_or_never() {
            let id = event.request_id.inner();
            self.report.failed_requests.push(FailedRequest {
                url: self
                    .urls
                    .get(id)
                    .cloned()
                    .unwrap_or_else(|| format!("request {id}")),
                reason: event.error_text.clone(),
            });
        }
    }
}

async fn listen<E: IntoEventKind + Unpin>(tab: &chromiumoxide::Page) -> Result<EventStream<E>, Error> {
    within("listen to a tab", tab.event_listener::<E>()).await
}

fn mark_params(mark: &str) -> chromiumoxide::cdp::js_protocol::runtime::EvaluateParams {
    let mark = serde_json::Value::from(mark);
    chromiumoxide::cdp::js_protocol::runtime::EvaluateParams::new(format!("console.debug({mark})"))
}

fn console_message(arguments: &[RemoteObject], level: &str) -> ConsoleMessage {
    let words: Vec<String> = arguments.iter().map(object_text).collect();
    ConsoleMessage {
        level: level.to_owned(),
        text: words.join(" "),
    }
}

fn object_text(object: &RemoteObject) -> String {
    match (&object.value, &object.description) {
        (Some(serde_json::Value::String(text)), _) => text.clone(),
        (_, Some(description)) => description.clone(),
        (Some(value), None) => value.to_string(),
        (None, None) => object.r#type.as_ref().to_owned(),
    }
}

/// An exception with where it came from.
pub(super) fn exception_text(details: &ExceptionDetails) -> String {
    details.exception.as_ref().map_or_else(
        || details.text.clone(),
        |exception| format!("{}: {}", details.text, object_text(exception)),
    )
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_this_machine_is_local() {
        for url in [
            "http://127.0.0.1:8080/a?b",
            "http://localhost/",
            "ws://localhost:1/",
            "file:///a.html",
            "data:text/html,a",
            "about:blank",
        ] {
            assert!(is_local(url), "{url}");
        }
        for url in [
            "http://school.example/",
            "https://127.0.0.1.school.example/",
            "http://localhost@school.example/",
            "http://school.example?127.0.0.1",
            "file://school.example/a",
            "mailto:a@school.example",
        ] {
            assert!(!is_local(url), "{url}");
        }
    }
}
