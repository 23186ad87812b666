//! `kubectl chromeos connect`: connects a Google customer to a namespace, in one of three ways.
//!
//! | file | rule that lives there |
//! |---|---|
//! | `arguments` | what can be typed |
//! | `way` | how the operator will sign in to Google, and what is read from files for it |
//! | `manifest` | the objects that are wanted, and how they are printed for Git |
//! | `preflight` | what must be true before anything is changed |
//! | `write` | how objects get into the cluster, and out again when the second one cannot be written |
//! | `consent/` | an admin signs in with a browser |
//! | `follow` | waiting until the connection is `Active` |
//! | `words` | what the person is told |

mod arguments;
mod consent;
mod follow;
mod manifest;
mod preflight;
mod way;
mod words;
mod write;

use secrecy::{ExposeSecret as _, SecretString};

pub use arguments::Arguments;

use crate::cluster::Cluster;
use crate::failure::{Exit, Failure};
use crate::terminal::say;
use follow::Follow;
use manifest::Manifest;
use preflight::Before;
use way::Way;
use write::Written;

/// Connects, and waits until the devices are there.
///
/// # Errors
/// When a file, the cluster or Google does not allow it; and when the wait ends before the connection is `Active`.
pub async fn run(cluster: &Cluster, arguments: &Arguments) -> Result<Exit, Failure> {
    let way = Way::read(&arguments.way)?;
    let manifest = Manifest::new(arguments, &way, cluster.namespace());
    if arguments.dry_run.is_some() {
        let admin = arguments.way.admin.as_deref().ok_or_else(|| {
            Failure::usage("--dry-run needs --admin, because nobody signs in to tell the account.")
        })?;
        manifest.print(admin)?;
        return Ok(Exit::Done);
    }
    words::what_will_be_done(&manifest, arguments, &way, cluster);
    let before = preflight::check(cluster, &manifest, arguments).await?;
    let connecting = Connecting {
        cluster,
        arguments,
        manifest: &manifest,
        before: &before,
    };
    match &way {
        Way::Key(key) => connecting.with_key(key).await,
        Way::Keyless(service_account) => connecting.keyless(service_account).await,
        Way::Consent(client) => connecting.with_consent(client).await,
    }
}

/// Everything that the three ways share.
struct Connecting<'a> {
    cluster: &'a Cluster,
    arguments: &'a Arguments,
    manifest: &'a Manifest,
    before: &'a Before,
}

impl Connecting<'_> {
    async fn with_key(&self, key: &way::KeyFile) -> Result<Exit, Failure> {
        words::delegation(key.client_id(), self.manifest);
        let written = self.write(Some(key.content()), self.admin()?).await?;
        words::key_file_left(key.path());
        self.follow(&written).await
    }

    async fn keyless(&self, service_account: &str) -> Result<Exit, Failure> {
        let admin = self.admin()?;
        words::keyless(service_account, admin, self.manifest);
        let written = self.write(None, admin).await?;
        self.follow(&written).await
    }

    async fn with_consent(&self, client: &consent::ClientFile) -> Result<Exit, Failure> {
        let context = self.arguments.google.context()?;
        let mut session =
            consent::Session::begin(&context, client, self.arguments, self.before.consent_of()).await?;
        let grant = session.grant().await?;
        let admin = grant.account().to_owned();
        match self.write(Some(grant.authorized_user()), &admin).await {
            Ok(written) => {
                session.tell(consent::Page::connected(&admin, self.manifest));
                say(&format!("{} signed in.", crate::output::clean(&admin)));
                let outcome = self.follow(&written).await;
                session.close().await;
                outcome
            }
            Err(failure) => {
                let ending = session.end(&grant).await;
                session.tell(consent::Page::not_written(&ending));
                session.close().await;
                Err(failure.and(&ending.sentence()))
            }
        }
    }

    /// The account that was named; without consent the command line demands it.
    fn admin(&self) -> Result<&str, Failure> {
        let named = self.arguments.way.admin.as_deref();
        named.ok_or_else(|| Failure::usage("--admin is missing: the account that the operator acts as."))
    }

    async fn write(&self, content: Option<&SecretString>, admin: &str) -> Result<Written, Failure> {
        let content = content.map(|content| content.expose_secret().as_bytes());
        write::both(self.cluster, self.manifest, self.before, content, admin).await
    }

    async fn follow(&self, written: &Written) -> Result<Exit, Failure> {
        let name = self.manifest.name();
        if self.arguments.no_wait {
            words::not_waiting(name, self.cluster.namespace());
            return Ok(Exit::Done);
        }
        let wait = &self.arguments.wait;
        Follow::new(self.cluster, name, written, wait)
            .until_active()
            .await
    }
}
