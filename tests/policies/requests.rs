//! Requests of one user, as plain JSON, and what the API server answers.

use http::Method;
use kube::Client;
use serde_json::Value;

/// A refusal by the API server.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) message: String,
}

pub(crate) type Answer = Result<Value, Refusal>;

/// Somebody who sends requests.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) client: Client,
}

impl User {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "application/json", &Value::Null)
            .await
    }

    pub(crate) async fn create(&self, collection: &str, object: &Value) -> Answer {
        self.send(Method::POST, collection, "application/json", object)
            .await
    }

    /// What would be said to a creation; nothing is kept.
    pub(crate) async fn try_create(&self, collection: &str, object: &Value) -> Answer {
        self.create(&format!("{collection}?dryRun=All"), object).await
    }

    pub(crate) async fn replace(&self, path: &str, object: &Value) -> Answer {
        self.send(Method::PUT, path, "application/json", object).await
    }

    /// What `kubectl replace` sends: it reads the resourceVersion first, which a replacement needs.
    pub(crate) async fn replace_latest(&self, path: &str, object: &Value) -> Answer {
        let mut object = object.clone();
        object["metadata"]["resourceVersion"] = self.get(path).await?["metadata"]["resourceVersion"].take();
        self.replace(path, &object).await
    }

    /// What `kubectl edit`, `kubectl label` and `kubectl annotate` send.
    pub(crate) async fn merge(&self, path: &str, change: &Value) -> Answer {
        self.send(Method::PATCH, path, "application/merge-patch+json", change)
            .await
    }

    pub(crate) async fn json_patch(&self, path: &str, change: &Value) -> Answer {
        self.send(Method::PATCH, path, "application/json-patch+json", change)
            .await
    }

    /// What `kubectl apply --server-side --force-conflicts` sends.
    pub(crate) async fn apply(&self, path: &str, object: &Value) -> Answer {
        let separator = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{separator}fieldManager={}&force=true", self.manager());
        self.send(Method::PATCH, &path, "application/apply-patch+yaml", object)
            .await
    }

    /// Deletes one object, or each of a collection. Without a body, else the API server would not look at options in
    /// the path.
    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, "application/json", &Value::Null)
            .await
    }

    fn manager(&self) -> String {
        let letters = self.name.chars().filter(char::is_ascii_alphanumeric);
        letters.take(100).collect()
    }

    async fn send(&self, method: Method, path: &str, content_type: &str, body: &Value) -> Answer {
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content_type)
            .body(body)
            .unwrap();
        match self.client.request(request).await {
            Ok(answer) => Ok(answer),
            Err(kube::Error::Api(status)) => Err(Refusal {
                code: status.code,
                message: status.message.clone(),
            }),
            Err(error) => panic!("{path}: the API server could not be asked: {error}"),
        }
    }
}

/// The stored object; fails if the request was refused.
#[track_caller]
pub(crate) fn accepted(case: &str, answer: Answer) -> Value {
    answer.unwrap_or_else(|refusal| panic!("{case}: refused: {refusal:?}"))
}

/// Fails unless this policy refused the request as forbidden, with all of these words.
#[track_caller]
pub(crate) fn forbidden_by(policy: &str, case: &str, answer: Answer, words: &[&str]) {
    let policy = format!("ValidatingAdmissionPolicy '{policy}.chromeenterprise.dev'");
    let words: Vec<_> = [policy.as_str()].iter().chain(words).copied().collect();
    refused(case, answer, 403, &words);
}

/// Fails unless the request was refused with this code and all of these words.
#[track_caller]
pub(crate) fn refused(case: &str, answer: Answer, code: u16, words: &[&str]) {
    let refusal = match answer {
        Ok(stored) => panic!("{case}: accepted: {stored}"),
        Err(refusal) => refusal,
    };
    assert_eq!(refusal.code, code, "{case}: {refusal:?}");
    for word in words {
        assert!(
            refusal.message.contains(word),
            "{case}: {word:?} is missing in\n  {}",
            refusal.message
        );
    }
}
