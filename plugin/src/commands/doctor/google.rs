//! Each connection at Google, asked from this machine: signing in, scopes, the account, its privileges, the clock.

use chrome_enterprise_operator::api::ChromeEnterpriseConnection;
use chrome_enterprise_operator::api::connection::Access as ConnectionAccess;
use chrome_enterprise_operator::google::{
    Access, Credential, CredentialKind, DirectoryClient, ErrorClass, GoogleContext, GoogleError, ListRequest,
    Reason,
};
use jiff::Timestamp;

use super::Arguments;
use super::connection::object;
use super::finding::Findings;
use super::server::clock;
use crate::failure::Failure;

const SIGN_IN: &str = "google sign-in";
const SCOPES: &str = "google scopes";
const DEVICES: &str = "google devices";
const ORG_UNITS: &str = "google org units";
const CLOCK: &str = "google clock";

/// Asks Google about it.
///
/// # Errors
/// When flags about Google cannot be used.
pub(super) async fn look(
    connection: &ChromeEnterpriseConnection,
    credential: Option<Credential>,
    arguments: &Arguments,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let object = object(connection);
    if arguments.no_google {
        findings.not_checked("google", "--no-google").about(object);
        return Ok(());
    }
    let Some(credential) = credential else {
        let why = if connection.spec.credentials.keyless.is_some() {
            "only the operator itself can sign in without a key"
        } else {
            "there are no credentials to sign in with"
        };
        findings.not_checked("google", why).about(object);
        return Ok(());
    };
    let context = arguments.google.context()?;
    let examination = Examination {
        connection,
        kind: credential.kind(),
        client_id: credential.client_id().map(str::to_owned),
        object,
    };
    examination.perform(&context, credential, findings).await;
    Ok(())
}

/// What the answers are about.
struct Examination<'a> {
    connection: &'a ChromeEnterpriseConnection,
    kind: CredentialKind,
    client_id: Option<String>,
    object: String,
}

impl Examination<'_> {
    async fn perform(&self, context: &GoogleContext, credential: Credential, findings: &mut Findings) {
        let spec = &self.connection.spec;
        let client = match DirectoryClient::new(context, credential, &spec.admin_email, self.access()) {
            Ok(client) => client,
            Err(error) => return self.failed(SIGN_IN, &error, findings),
        };
        let verified = client.verify().await;
        Self::clock(context, findings);
        let verified = match verified {
            Ok(verified) => verified,
            Err(error) => {
                self.failed(SIGN_IN, &error, findings);
                for check in [DEVICES, ORG_UNITS] {
                    findings
                        .not_checked(check, "signing in failed")
                        .about(self.object.clone());
                }
                return;
            }
        };
        findings
            .ok(
                SIGN_IN,
                format!(
                    "{} is signed in; its customer is {}.",
                    verified.primary_email, verified.customer_id
                ),
            )
            .about(self.object.clone());
        let granted = self.kind.scopes(self.access()).len();
        findings
            .ok(SCOPES, format!("All {granted} are granted."))
            .about(self.object.clone());
        if spec.customer_id.starts_with('C') && spec.customer_id != verified.customer_id {
            findings
                .warning(
                    SIGN_IN,
                    format!(
                        "The account belongs to another customer than {}.",
                        spec.customer_id
                    ),
                )
                .about(self.object.clone())
                .advise("Give an administrator of that customer, or set spec.customerId to my_customer.");
        }
        self.privileges(&client, findings).await;
    }

    /// One page of each, which shows the privileges of the account and the quota.
    async fn privileges(&self, client: &DirectoryClient, findings: &mut Findings) {
        let sync = &self.connection.spec.sync;
        let mut request = ListRequest::new(&self.connection.spec.customer_id);
        request.org_unit_path = Some(sync.org_unit_path.clone()).filter(|path| path != "/");
        request.query.clone_from(&sync.query);
        request.page_size = 1;
        match client.list_devices(&request, None).await {
            Ok(_) => {
                findings
                    .ok(DEVICES, "The account may read devices.")
                    .about(self.object.clone());
            }
            Err(error) => self.failed(DEVICES, &error, findings),
        }
        match client.list_org_units(&self.connection.spec.customer_id).await {
            Ok(units) => {
                let message = format!("The account may read org units; there are {}.", units.len());
                findings.ok(ORG_UNITS, message).about(self.object.clone());
            }
            Err(error) => self.failed(ORG_UNITS, &error, findings),
        }
    }

    const fn access(&self) -> Access {
        match self.connection.spec.access {
            ConnectionAccess::ReadWrite => Access::ReadWrite,
            ConnectionAccess::ReadOnly => Access::ReadOnly,
        }
    }

    fn clock(context: &GoogleContext, findings: &mut Findings) {
        match context.time_at_google() {
            Some(time) => clock(findings, CLOCK, time.duration_since(Timestamp::now()).as_secs()),
            None => {
                findings.not_checked(CLOCK, "Google has not told the time");
            }
        }
    }

    /// A refusal. What may pass by itself, or may be so on this machine only, is a warning.
    fn failed(&self, check: &str, error: &GoogleError, findings: &mut Findings) {
        let reason = error.reason.name();
        if let Reason::DelegationMissing { missing_scopes } = &error.reason {
            return self.delegation(missing_scopes, findings);
        }
        if matches!(
            error.reason,
            Reason::NetworkUnreachable | Reason::ConnectionLost | Reason::UnexpectedAnswer
        ) {
            findings
                .warning(check, format!("Google cannot be reached from this machine ({reason})."))
                .about(self.object.clone())
                .advise("Set HTTPS_PROXY if there is a proxy. The operator has a way of its own; --no-google leaves this out.");
            return;
        }
        let message = format!("Google refuses it ({reason}).");
        let finding = match error.class() {
            ErrorClass::Terminal { .. } => findings.problem(check, message),
            ErrorClass::Transient | ErrorClass::Throttled { .. } | ErrorClass::Conflict => {
                findings.warning(check, message)
            }
        };
        finding.about(self.object.clone()).advise(format!(
            "{} (account: {})",
            error.reason.explanation_for(self.kind),
            self.connection.spec.admin_email
        ));
    }

    /// Each scope was asked for alone.
    fn delegation(&self, missing: &[&str], findings: &mut Findings) {
        let scopes = self.kind.scopes(self.access());
        let message = if missing.is_empty() || missing.len() == scopes.len() {
            "Google does not let the service account act for this customer (DelegationMissing).".to_owned()
        } else {
            format!(
                "Google does not grant these scopes (DelegationMissing): {}.",
                missing.join(",")
            )
        };
        let client = self.client_id.as_deref().unwrap_or("of the service account");
        findings.problem(SCOPES, message).about(self.object.clone()).advise(format!(
            "In the Admin console open Security > Access and data control > API controls > Domain-wide delegation, and \
             give the client ID {client} exactly these scopes: {}. Google can take up to 24 hours to apply it.",
            scopes.join(",")
        ));
    }
}
