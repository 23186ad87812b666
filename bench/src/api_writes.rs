//! Writes to the API server, as it counts them itself: also those that failed, and by whomever.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use http::Request;
use kube::Client;

const REQUESTS: &str = "apiserver_request_total{";
const WRITING: [&str; 5] = ["POST", "PUT", "PATCH", "APPLY", "DELETE"];
/// What an action can write. Everything else, such as leases, is the API server's own.
const RESOURCES: [&str; 5] = [
    "deviceactions",
    "deviceactionreceipts",
    "chromeosdevices",
    "chromeenterpriseconnections",
    "events",
];

/// Writes by what was written, such as `POST deviceactionreceipts` or `PATCH deviceactions/status`; those that the API
/// server refused, as after a conflict, on their own.
pub(crate) type ApiWrites = BTreeMap<String, u64>;

/// The writes until now.
///
/// # Errors
/// When the API server does not tell.
pub(crate) async fn read(client: &Client) -> Result<ApiWrites> {
    let request = Request::get("/metrics").body(Vec::new())?;
    let text = client.request_text(request).await;
    Ok(parse(&text.context("the API server does not show its metrics")?))
}

/// What was added since `before`.
pub(crate) fn since(before: &ApiWrites, now: &ApiWrites) -> ApiWrites {
    now.iter()
        .map(|(what, count)| {
            (
                what.clone(),
                count - before.get(what).copied().unwrap_or_default(),
            )
        })
        .filter(|(_, count)| *count > 0)
        .collect()
}

fn parse(metrics: &str) -> ApiWrites {
    let mut writes = ApiWrites::new();
    for line in metrics.lines().filter(|line| line.starts_with(REQUESTS)) {
        let label = |name: &str| {
            let (_, rest) = line.split_once(&format!("{name}=\""))?;
            rest.split('"').next()
        };
        let (Some(verb), Some(resource)) = (label(",verb"), label(",resource")) else {
            continue;
        };
        let count: Option<u64> = line.rsplit(' ').next().and_then(|count| count.parse().ok());
        if !WRITING.contains(&verb) || !RESOURCES.contains(&resource) {
            continue;
        }
        let part = label(",subresource").filter(|part| !part.is_empty());
        let what = part.map_or_else(
            || format!("{verb} {resource}"),
            |part| format!("{verb} {resource}/{part}"),
        );
        let refused = label("{code").is_some_and(|code| !code.starts_with('2'));
        let what = if refused {
            format!("{what} (refused)")
        } else {
            what
        };
        *writes.entry(what).or_default() += count.unwrap_or_default();
    }
    writes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_writes_of_these_resources_are_counted() {
        let line = |code, resource, subresource, verb, count| {
            format!(
                "apiserver_request_total{{code=\"{code}\",component=\"apiserver\",dry_run=\"\",group=\"g\",\
                 resource=\"{resource}\",scope=\"resource\",subresource=\"{subresource}\",verb=\"{verb}\",\
                 version=\"v1\"}} {count}\n"
            )
        };
        let text = [
            line("201", "deviceactionreceipts", "", "POST", 3),
            line("409", "deviceactionreceipts", "", "POST", 1),
            line("200", "deviceactions", "status", "PATCH", 5),
            line("200", "deviceactions", "", "LIST", 50),
            line("200", "leases", "", "PUT", 70),
        ]
        .concat();
        let writes = parse(&text);
        let expected = ApiWrites::from([
            ("POST deviceactionreceipts".to_owned(), 3),
            ("POST deviceactionreceipts (refused)".to_owned(), 1),
            ("PATCH deviceactions/status".to_owned(), 5),
        ]);
        assert_eq!(writes, expected);
        let before = ApiWrites::from([("POST deviceactionreceipts".to_owned(), 3)]);
        assert_eq!(
            since(&before, &writes),
            ApiWrites::from([
                ("PATCH deviceactions/status".to_owned(), 5),
                ("POST deviceactionreceipts (refused)".to_owned(), 1),
            ])
        );
    }
}
