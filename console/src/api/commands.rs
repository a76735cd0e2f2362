//! What can be done: every command of a tenant with the address at which it is given.
//!
//! A parameter of a path is the field of that name of the command; the body is the rest of it. So the table says
//! nothing about what a command holds, and cannot say it wrongly. Commands of the operator are not in it.

use provisioning::Command;
use serde_json::{Map, Value};

/// How a command is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// It makes something, or does something.
    Post,
    /// It changes something.
    Patch,
    /// It ends something.
    Delete,
}

impl Method {
    /// As OpenAPI writes it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

/// A command and its address.
#[derive(Debug)]
pub struct Given {
    /// How.
    pub method: Method,
    /// Where.
    pub path: &'static str,
    /// The command's name.
    pub command: &'static str,
}

macro_rules! commands {
    ($($method:ident $path:literal $command:literal;)+) => {
        /// Every command of a tenant.
        pub static COMMANDS: &[Given] = &[$(Given { method: Method::$method, path: $path, command: $command },)+];
    };
}

commands! {
    Post "/compute/v1/vcenters/virtual_machines" "create-vm";
    Post "/compute/v1/vcenters/virtual_machines/from_template/{template}" "deploy-template";
    Delete "/compute/v1/vcenters/virtual_machines/{vm}" "delete-vm";
    Patch "/compute/v1/vcenters/virtual_machines/{vm}" "resize-vm";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/power_on" "power-on";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/power_off" "power-off";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/suspend" "suspend";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/move" "move-vm";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/migrate" "migrate-vm";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/move_home" "move-home";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/clone" "clone-vm";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/disks" "add-disk";
    Patch "/compute/v1/vcenters/virtual_machines/{vm}/disks/{disk}" "resize-disk";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/disks/{disk}/move" "move-disk";
    Delete "/compute/v1/vcenters/virtual_machines/{vm}/disks/{disk}" "remove-disk";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/disks/{disk}/exclude" "exclude-disk";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/networks/{network}" "connect-vm";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/snapshots" "take-snapshot";
    Delete "/compute/v1/vcenters/virtual_machines/{vm}/snapshots/{snapshot}" "delete-snapshot";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/export" "export-ovf";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/export_encrypted" "export-encrypted";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/encrypt" "encrypt";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/rekey" "rekey";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/decrypt" "decrypt";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/replication" "replicate";
    Patch "/compute/v1/vcenters/virtual_machines/{vm}/replication" "pause-replication";
    Delete "/compute/v1/vcenters/virtual_machines/{vm}/replication" "stop-replication";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/fail_over" "fail-over-vm";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/policies/{policy}" "assign-policy";
    Delete "/compute/v1/vcenters/virtual_machines/{vm}/policies/{policy}" "remove-policy";
    Post "/compute/v1/vcenters/virtual_machines/{vm}/backups" "back-up";
    Delete "/backup/v1/backups/{backup}" "delete-backup";
    Post "/backup/v1/backups/{backup}/restore" "restore";
    Patch "/backup/v1/storage" "order-backup-storage";
    Post "/backup/v1/policies" "create-backup-policy";
    Delete "/compute/v1/key_domains/{domain}/keys/{key}" "destroy-key";
    Post "/compute/v1/vcenters/{vstack}/key_provider" "configure-key-provider";
    Post "/compute/v1/vcenters/datastores" "order-datastore";
    Patch "/compute/v1/vcenters/datastores/{datastore}" "resize-datastore";
    Delete "/compute/v1/vcenters/datastores/{datastore}" "delete-datastore";
    Post "/compute/v1/vcenters/datastores/{datastore}/host_clusters/{cpool}" "attach-datastore";
    Delete "/compute/v1/vcenters/datastores/{datastore}/host_clusters/{cpool}" "detach-datastore";
    Post "/compute/v1/vcenters/mirrors" "create-mirror";
    Delete "/compute/v1/vcenters/mirrors/{mirror}" "remove-mirror";
    Post "/compute/v1/vcenters/mirrors/{mirror}/present" "present-mirror";
    Patch "/compute/v1/vcenters/mirrors/{mirror}" "activate-mirror";
    Post "/compute/v1/vcenters/host_clusters" "create-cpool";
    Delete "/compute/v1/vcenters/host_clusters/{cpool}" "delete-cpool";
    Post "/compute/v1/vcenters/host_clusters/{cpool}/hosts" "add-host";
    Patch "/compute/v1/vcenters/host_clusters/{cpool}/ram" "enable-ram";
    Patch "/compute/v1/vcenters/host_clusters/{cpool}/high_availability" "set-high-availability";
    Delete "/compute/v1/vcenters/hosts/{host}" "remove-host";
    Patch "/compute/v1/vcenters/hosts/{host}/maintenance" "set-maintenance";
    Post "/compute/v1/vcenters/hosts/{host}/update" "update-hypervisor";
    Post "/compute/v1/vcenters/affinity_rules" "create-affinity-rule";
    Patch "/compute/v1/vcenters/affinity_rules/{rule}" "set-affinity-rule";
    Delete "/compute/v1/vcenters/affinity_rules/{rule}" "delete-affinity-rule";
    Post "/network/v1/networks" "create-network";
    Post "/network/v1/networks/{network}/host_clusters/{cpool}" "propagate-network";
    Post "/network/v1/networks/{network}/tenants/{tenant}" "share-network";
    Delete "/network/v1/networks/{network}" "delete-network";
    Post "/network/v1/internet_accesses" "order-internet-access";
    Post "/order/v1/subscriptions/{sku}" "subscribe";
    Delete "/order/v1/subscriptions/{sku}" "unsubscribe";
    Post "/order/v1/service_requests" "file-service-request";
}

impl Given {
    /// The names of the path's parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// The command that a path and a body make.
    ///
    /// # Errors
    /// The sentence that says what is wrong with the body.
    pub fn read(&self, parameters: &[(String, String)], body: Map<String, Value>) -> Result<Command, String> {
        let mut whole = body;
        let path = parameters.iter().map(|(name, value)| (name.clone(), value.clone()));
        for (name, value) in path.chain([("command".to_owned(), self.command.to_owned())]) {
            if whole.insert(name.clone(), Value::String(value)).is_some() {
                return Err(format!("\"{name}\" stands in the address already"));
            }
        }
        serde_json::from_value(Value::Object(whole)).map_err(|error| error.to_string())
    }
}

/// The name by which a kind of thing stands in paths, where a path begins with one: what `If-Match` is held against.
#[must_use]
pub fn target(given: &Given) -> Option<&'static super::kinds::Kind> {
    let (list, rest) = given.path.split_once("/{")?;
    // Only the thing that the path is about, not what is below it or beside it.
    let about = rest.split_once('}').is_some_and(|(_, below)| !below.contains('{'));
    super::kinds::KINDS.iter().find(|kind| kind.path == list).filter(|_| about)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use provisioning::command::Plane;
    use utoipa::PartialSchema;

    use super::*;

    /// Every command there is, by its name, from the type itself.
    fn names() -> BTreeSet<String> {
        let schema = serde_json::to_value(Command::schema()).unwrap();
        let variants = schema["oneOf"].as_array().unwrap();
        variants.iter().filter_map(|one| one["properties"]["command"]["enum"][0].as_str().map(str::to_owned)).collect()
    }

    #[test]
    fn every_command_of_a_tenant_has_one_address_and_no_other_has_any() {
        let given: BTreeSet<String> = COMMANDS.iter().map(|given| given.command.to_owned()).collect();
        assert_eq!(given.len(), COMMANDS.len(), "a command has two addresses");
        let operators = [
            "open-v-center",
            "update-firmware",
            "enable-host-crypto",
            "disable-host-crypto",
            "report-key",
            "host-rebooted",
            "host-failed",
        ];
        let without: BTreeSet<String> = names().difference(&given).cloned().collect();
        assert_eq!(without, operators.map(str::to_owned).into(), "what has no address is the operator's");
        assert_eq!(given.difference(&names()).count(), 0);
        assert_eq!(Command::HostFailed { host: "h".into() }.plane(), Plane::Operator);
    }

    #[test]
    fn what_stands_in_the_address_does_not_stand_in_the_body() {
        let encrypt = COMMANDS.iter().find(|given| given.command == "encrypt").unwrap();
        let at = [("vm".to_owned(), "web".to_owned())];
        assert_eq!(encrypt.read(&at, Map::new()).unwrap(), Command::Encrypt { vm: "web".into() });
        for body in [r#"{"vm":"db"}"#, r#"{"command":"decrypt"}"#, r#"{"password":"x"}"#] {
            assert!(encrypt.read(&at, serde_json::from_str(body).unwrap()).is_err(), "{body}");
        }
    }
}
