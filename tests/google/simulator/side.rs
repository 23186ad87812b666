//! The simulator, and a client of its first customer.

use std::collections::BTreeSet;

use chrome_enterprise_operator::google::{
    Access, ChromeOsDevice, DirectoryClient, GoogleContext, GoogleError, ListRequest, ServiceAccountKey,
    parse_service_account_key,
};
use google_admin_simulator::Simulator;
use google_admin_simulator::api::methods::ApiMethod;
use google_admin_simulator::control::UserPatch;
use google_admin_simulator::faults::FaultRule;
use google_admin_simulator::request_log::LogFilter;
use google_admin_simulator::switches::Switches;
use url::Url;

use crate::fake::{context, quick};

/// The simulator and a client of its first customer.
pub(crate) struct Side {
    pub(crate) simulator: Simulator,
    pub(crate) key: ServiceAccountKey,
    pub(crate) context: GoogleContext,
    pub(crate) client: DirectoryClient,
}

impl Side {
    pub(crate) async fn start(devices: u32) -> Self {
        Self::of(
            Simulator::builder()
                .devices(devices)
                .seed(7)
                .start()
                .await
                .unwrap(),
        )
    }

    pub(crate) fn of(simulator: Simulator) -> Self {
        let key = parse_service_account_key(simulator.service_account_json().unwrap().as_bytes()).unwrap();
        let context = context(&Url::parse(&simulator.url()).unwrap(), quick());
        let client =
            DirectoryClient::new(&context, key.clone(), &simulator.admin_email(), Access::ReadWrite).unwrap();
        Self {
            simulator,
            key,
            context,
            client,
        }
    }

    pub(crate) fn client_as(&self, admin: &str, access: Access) -> DirectoryClient {
        DirectoryClient::new(&self.context, self.key.clone(), admin, access).unwrap()
    }

    pub(crate) fn fault(&self, rule: FaultRule) {
        self.simulator.state().add_fault(rule).unwrap();
    }

    pub(crate) fn switch(&self, change: impl FnOnce(&mut Switches)) {
        let mut switches = (*self.simulator.state().switches()).clone();
        change(&mut switches);
        self.simulator.state().set_switches(switches);
    }

    pub(crate) fn patch_admin(&self, patch: &UserPatch) {
        let (customer, admin) = (self.simulator.customer_id(), self.simulator.admin_email());
        self.simulator
            .state()
            .patch_user(&customer, &admin, patch)
            .unwrap();
    }

    pub(crate) fn delegate(&self, scopes: &[&str]) {
        let scopes: BTreeSet<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.simulator
            .state()
            .auth
            .delegate(self.key.client_id(), &self.simulator.customer_id(), scopes);
    }

    pub(crate) fn everything(&self) -> ListRequest {
        ListRequest {
            org_unit_path: Some("/".to_owned()),
            ..ListRequest::new(&self.simulator.customer_id())
        }
    }

    pub(crate) fn listings(&self) -> usize {
        let filter = LogFilter {
            api: Some(ApiMethod::DevicesList),
            ..LogFilter::default()
        };
        self.simulator.state().requests(&filter).len()
    }
}

pub(crate) struct Walk {
    pub(crate) devices: Vec<ChromeOsDevice>,
    pub(crate) pages: usize,
    pub(crate) unreadable: usize,
    pub(crate) unreadable_ids: Vec<String>,
}

pub(crate) async fn walk(client: &DirectoryClient, request: &ListRequest) -> Result<Walk, GoogleError> {
    let mut walked = Walk {
        devices: Vec::new(),
        pages: 0,
        unreadable: 0,
        unreadable_ids: Vec::new(),
    };
    let mut token = None;
    loop {
        let page = client.list_devices(request, token.as_deref()).await?;
        assert!(page.bytes > 0);
        walked.pages += 1;
        walked.unreadable += page.unreadable;
        walked.unreadable_ids.extend(page.unreadable_ids);
        walked.devices.extend(page.devices);
        match page.next_page_token {
            Some(next) => token = Some(next),
            None => return Ok(walked),
        }
    }
}
