//! The HTML of the consent page.

use axum::response::{Html, IntoResponse, Response};

use super::consent::ConsentRequest;
use super::form::REPEATABLE;
use super::token_error::TokenError;

/// Asks for the account and the scopes. The form is sent to the same address.
pub(super) fn question(request: &ConsentRequest, account: Option<&str>, query: &str) -> Response {
    let mut ticks = String::new();
    for scope in &request.scopes {
        let scope = escape(scope);
        ticks.push_str(&format_tick(&scope));
    }
    Html(format!(
        r#"<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Sign in – simulated Google account</title></head>
<body>
<h1>{client} wants access to your simulated Google account</h1>
<form method="post" action="?{query}">
<p><label>Account <input type="email" name="account" value="{account}" required></label></p>
<fieldset><legend>Allow it to use</legend>
{ticks}</fieldset>
<p><button name="decision" value="allow">Allow</button>
<button name="decision" value="deny" formnovalidate>Cancel</button></p>
</form>
</body>
</html>
"#,
        client = escape(&request.client.client_id),
        query = escape(query),
        account = escape(account.unwrap_or_default()),
    ))
    .into_response()
}

fn format_tick(scope: &str) -> String {
    format!(
        "<p><label><input type=\"checkbox\" name=\"{REPEATABLE}\" value=\"{scope}\" checked> {scope}</label></p>\n"
    )
}

/// The page that Google shows, instead of sending the browser anywhere, when the request itself is wrong.
pub(super) fn refusal(error: &TokenError) -> Response {
    let (status, code, text) = (error.status(), escape(error.error()), escape(error.description()));
    let page = format!(
        r#"<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Error {number}: {code}</title></head>
<body>
<h1>Access blocked: authorization error</h1>
<p>{text}</p>
<p>Error {number}: {code}</p>
</body>
</html>
"#,
        number = status.as_u16(),
    );
    (status, Html(page)).into_response()
}

/// Text that may stand in HTML, between tags and in quoted attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_request_becomes_markup() {
        assert_eq!(
            escape(r#"<a href="x">&'"#),
            "&lt;a href=&quot;x&quot;&gt;&amp;&#39;"
        );
    }
}
