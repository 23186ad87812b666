//! The pages that the browser ends on: no script, nothing from elsewhere, everything foreign escaped by the template.

use std::sync::LazyLock;

use askama::Template;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};

use super::super::manifest::Manifest;
use super::ending::Ending;
use crate::output::clean;

/// The only style. The policy of the page names its digest, so no other can be put in.
const STYLE: &str = include_str!("../../../../templates/sign_in.css");

static POLICY: LazyLock<String> = LazyLock::new(|| {
    let digest = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
});

/// How a page is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Tone {
    /// It worked.
    Good,
    /// It did not.
    Bad,
    /// Nothing happened.
    Note,
}

impl Tone {
    const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Note => "note",
        }
    }

    const fn mark(self) -> &'static str {
        match self {
            Self::Good => "\u{2713}",
            Self::Bad => "!",
            Self::Note => "i",
        }
    }
}

/// What a page says.
#[derive(Debug, Clone)]
pub(in super::super) struct Page {
    status: StatusCode,
    tone: Tone,
    title: &'static str,
    lines: Vec<String>,
    details: Vec<String>,
    next: String,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    page: &'a Page,
    style: &'static str,
}

impl Page {
    fn new(status: StatusCode, tone: Tone, title: &'static str, line: impl Into<String>, next: &str) -> Self {
        Self {
            status,
            tone,
            title,
            lines: vec![line.into()],
            details: Vec::new(),
            next: next.to_owned(),
        }
    }

    fn bad(title: &'static str, line: impl Into<String>, next: &str) -> Self {
        Self::new(StatusCode::OK, Tone::Bad, title, line, next)
    }

    fn stray(status: StatusCode, title: &'static str, line: &str, next: &str) -> Self {
        Self::new(status, Tone::Note, title, line, next)
    }

    /// The same with one more line.
    pub(super) fn and(mut self, line: String) -> Self {
        self.lines.push(line);
        self
    }

    /// It is done.
    pub(in super::super) fn connected(account: &str, manifest: &Manifest) -> Self {
        let line = format!(
            "The Google customer of {} is connected to the namespace {}.",
            clean(account),
            clean(manifest.namespace())
        );
        let next = "Close this page and go back to the terminal. It shows when the devices are there.";
        Self::new(StatusCode::OK, Tone::Good, "You are signed in", line, next)
    }

    /// Google gave everything, and the cluster did not take it.
    pub(in super::super) fn not_written(ending: &Ending) -> Self {
        Self::bad(
            "Nothing was connected",
            "The sign-in worked, but the cluster did not take the connection.",
            "Close this page. The terminal says what the cluster refused.",
        )
        .and(ending.sentence())
    }

    /// The person, or a policy, said no.
    pub(super) fn refused(error: &str) -> Self {
        if error == "access_denied" {
            return Self::bad(
                "You did not allow it",
                "The sign-in was refused on Google's page, so nothing was connected and nothing was kept.",
                "Close this page. To try again, run the command in the terminal once more.",
            );
        }
        let mut page = Self::bad(
            "Google refused the sign-in",
            "Nothing was connected and nothing was kept. Google gave this reason:",
            "Close this page. The terminal says what to do.",
        );
        page.details.push(error.to_owned());
        page
    }

    /// Another account than the one that was named.
    pub(super) fn wrong_account(account: &str, wanted: &str, ending: &Ending) -> Self {
        let line = format!(
            "You signed in as {}. The command names {}.",
            clean(account),
            clean(wanted)
        );
        Self::bad(
            "This is another account",
            line,
            "Close this page, run the command once more, and choose the right account on Google's page.",
        )
        .and(ending.sentence())
    }

    /// The token is missing, or of no use.
    pub(super) fn failed(why: &str) -> Self {
        let mut page = Self::bad(
            "The sign-in did not work",
            "Nothing was connected, and nothing was kept in the cluster.",
            "Close this page. The terminal says what to do.",
        );
        page.details.push(clean(why).into_owned());
        page
    }

    /// The same answer comes a second time.
    pub(super) fn already_done() -> Self {
        Self::stray(
            StatusCode::OK,
            "This sign-in is already done",
            "Its address works once, and it was used.",
            "Close this page and look at the terminal.",
        )
    }

    /// The ticket was used in another browser.
    pub(super) fn opened_elsewhere() -> Self {
        Self::stray(
            StatusCode::CONFLICT,
            "This sign-in was begun in another browser",
            "The address works in the browser that opened it first.",
            "Go on there. If that was not you, press Ctrl-C in the terminal and run the command once more.",
        )
    }

    /// An answer that is not to our question.
    pub(super) fn not_ours() -> Self {
        Self::stray(
            StatusCode::BAD_REQUEST,
            "This is not the sign-in that the terminal waits for",
            "It belongs to another attempt, to another browser, or to nobody. It was not used, and the terminal goes on \
             waiting.",
            "Go on in the page that the terminal opened. If you cannot find it, press Ctrl-C in the terminal and run the \
             command once more.",
        )
    }

    /// An answer in somebody else's name.
    pub(super) fn not_google() -> Self {
        Self::stray(
            StatusCode::BAD_REQUEST,
            "This answer is not from Google",
            "It names somebody else as its sender. It was not used, and the terminal goes on waiting.",
            "Go on in the page that the terminal opened.",
        )
    }

    /// Nothing is here.
    pub(super) fn nothing_here() -> Self {
        Self::stray(
            StatusCode::NOT_FOUND,
            "There is nothing here",
            "This address belongs to a sign-in of kubectl chromeos.",
            "Open the address that the terminal shows, whole.",
        )
    }

    /// The page as an answer.
    pub(super) fn respond(&self) -> Response {
        let template = SignIn {
            page: self,
            style: STYLE,
        };
        match template.render() {
            Ok(html) => protected(
                (
                    self.status,
                    [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
                    html,
                )
                    .into_response(),
            ),
            // Writing into memory does not fail.
            Err(_) => protected(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        }
    }
}

/// Headers that keep a page to itself: in no cache, in no frame, with no script, and its address with nobody else.
pub(super) fn protected(mut response: Response) -> Response {
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&POLICY) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (header::CONNECTION, "close"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_foreign_becomes_markup() {
        let page = Page::failed("<script>alert(1)</script>\" onload='x' & \u{202e}");
        let html = SignIn {
            page: &page,
            style: STYLE,
        }
        .render()
        .unwrap();
        assert!(!html.contains("<script") && !html.contains('\u{202e}'), "{html}");
        assert!(html.contains("&#60;script&#62;"), "{html}");
        let page = Page::wrong_account("<b>@x.example", "\"><i>", &Ending::TakenBack);
        let html = SignIn {
            page: &page,
            style: STYLE,
        }
        .render()
        .unwrap();
        assert!(!html.contains("<b>") && !html.contains("<i>"), "{html}");
    }

    #[test]
    fn a_page_is_kept_to_itself() {
        let response = Page::already_done().respond();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-security-policy").starts_with("default-src 'none'; style-src 'sha256-"));
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-store");
    }
}
