//! An admin signs in with a browser and agrees: the flow for installed applications.
//!
//! Sources: RFC 8252; "OAuth 2.0 for iOS & Desktop Apps" of Google; RFC 9700 for what can go wrong.
//!
//! | file | rule that lives there |
//! |---|---|
//! | `client_file` | what is read from the file of an OAuth client |
//! | `attempt` | the secrets that tie an answer to this program and to one browser |
//! | `browser` | opening a browser, where there is one |
//! | `listener` | what the server on this machine answers, and to whom |
//! | `answer` | which answer of Google counts |
//! | `pages` | what the browser shows in the end |
//! | `ending` | what becomes of a consent that is of no use |
//! | `exchange` | redeeming the code, who signed in, what was granted |

mod answer;
mod attempt;
mod browser;
mod client_file;
mod ending;
mod exchange;
mod listener;
mod pages;

use std::time::Duration;

use chrome_enterprise_operator::google::{Access, GoogleContext, required_scopes};

pub(super) use client_file::ClientFile;
pub(super) use exchange::Grant;
pub(super) use pages::Page;

use super::arguments::Arguments;
use crate::failure::{Exit, Failure};
use crate::output::clean;
use answer::Answer;
use attempt::Redemption;
use ending::Ending;
use exchange::NoGrant;
use listener::{Listener, Port};

/// Tell who signed in.
const IDENTITY: [&str; 2] = ["openid", "email"];

/// One sign-in, from the opened browser to its last page.
pub(super) struct Session<'a> {
    context: &'a GoogleContext,
    file: &'a ClientFile,
    scopes: [&'static str; 3],
    /// The account that has to sign in, if one was named.
    wanted: Option<&'a str>,
    /// The account whose consent a connection lives from already.
    in_use: Option<&'a str>,
    patience: Duration,
    listener: Listener,
    redemption: Option<Redemption>,
}

impl<'a> Session<'a> {
    /// Takes a port, and sends the person to Google.
    ///
    /// # Errors
    /// When the port is taken.
    pub(super) async fn begin(
        context: &'a GoogleContext,
        file: &'a ClientFile,
        arguments: &'a Arguments,
        in_use: Option<&'a str>,
    ) -> Result<Self, Failure> {
        let way = &arguments.way;
        let access = if arguments.wishes.read_only {
            Access::ReadOnly
        } else {
            Access::ReadWrite
        };
        let scopes = required_scopes(access);
        let port = Port::take(way.port).await?;
        let number = port.number();
        let asked: Vec<&str> = scopes.iter().copied().chain(IDENTITY).collect();
        let wanted = way.admin.as_deref();
        let (attempt, redemption) =
            attempt::begin(context.endpoints(), file, &port.redirect(), &asked, wanted)?;
        let listener = port.listen(attempt);
        browser::open(listener.start(), number, !way.no_browser).await;
        Ok(Self {
            context,
            file,
            scopes,
            wanted,
            in_use,
            patience: way.sign_in_timeout,
            listener,
            redemption: Some(redemption),
        })
    }

    /// Waits for the person, and redeems what Google gives.
    ///
    /// # Errors
    /// When there is no consent of the right account to everything. Nothing is left at Google then.
    pub(super) async fn grant(&mut self) -> Result<Grant, Failure> {
        let answer = self.answer().await?;
        match self.redeem(answer).await {
            Ok(grant) => Ok(grant),
            Err((page, failure)) => {
                self.tell(page);
                self.close().await;
                Err(failure)
            }
        }
    }

    async fn answer(&mut self) -> Result<Answer, Failure> {
        let minutes = self.patience;
        let again = "Run the command once more when you are ready. Nothing was written.";
        tokio::select! {
            answer = self.listener.answer() => answer.ok_or_else(|| Failure::new("The sign-in broke off.").advise(again)),
            () = tokio::time::sleep(minutes) => Err(Failure::new(format!(
                "Nobody finished the sign-in within {} s.", minutes.as_secs()
            )).advise(format!("{again} --sign-in-timeout gives more time."))),
            _ = tokio::signal::ctrl_c() => {
                Err(Failure::new("The sign-in was broken off. Nothing was written.").exit_with(Exit::Interrupted))
            }
        }
    }

    async fn redeem(&mut self, answer: Answer) -> Result<Grant, (Page, Failure)> {
        let code = match answer {
            Answer::Code(code) => code,
            Answer::Error(error) => return Err((Page::refused(&error), refused(&error))),
        };
        let Some(redemption) = self.redemption.take() else {
            let failure = Failure::new("The sign-in was used already.");
            return Err((Page::already_done(), failure));
        };
        let redeemed = exchange::redeem(self.context, self.file, redemption, code, &self.scopes).await;
        let grant = match redeemed {
            Ok(grant) => grant,
            Err(NoGrant::NoToken(failure)) => return Err((Page::failed(failure.message()), failure)),
            Err(NoGrant::OfNoUse {
                token,
                account,
                failure,
            }) => {
                let ending = ending::end(self.context, &token, account.as_deref(), self.in_use).await;
                let page = Page::failed(failure.message()).and(ending.sentence());
                return Err((page, failure.and(&ending.sentence())));
            }
        };
        match self.wanted {
            Some(wanted) if !wanted.eq_ignore_ascii_case(grant.account()) => {
                let failure = Failure::new(format!(
                    "{} signed in, but --admin names {wanted}. Nothing was written.",
                    clean(grant.account())
                ))
                .advise("Run the command once more and choose the right account on Google's page.");
                let ending = self.end(&grant).await;
                let page = Page::wrong_account(grant.account(), wanted, &ending);
                Err((page, failure.and(&ending.sentence())))
            }
            _ => Ok(grant),
        }
    }

    /// Takes a grant back that is of no use after all.
    pub(super) async fn end(&self, grant: &Grant) -> Ending {
        ending::end(self.context, grant.token(), Some(grant.account()), self.in_use).await
    }

    /// Shows the last page.
    pub(super) fn tell(&self, page: Page) {
        self.listener.tell(page);
    }

    /// Ends the server, when the last page is sent.
    pub(super) async fn close(&mut self) {
        self.listener.close().await;
    }
}

/// Google's own words for why there is no code (RFC 6749, section 4.1.2.1).
fn refused(error: &str) -> Failure {
    match error {
        "access_denied" => Failure::new("The sign-in was refused on Google's page. Nothing was written.")
            .advise("Run the command once more and choose Allow, as an account that may do this."),
        "admin_policy_enforced" | "org_internal" => {
            Failure::new(format!("A policy at Google refuses the sign-in ({error}). Nothing was written.")).advise(
                "A super admin marks the OAuth client as trusted: Admin console > Security > Access and data control > \
                 API controls > App access control.",
            )
        }
        other => Failure::new(format!("Google refuses the sign-in ({other}). Nothing was written."))
            .advise("Check the OAuth client in Google Cloud, then run the command once more."),
    }
}
