//! What stores move by themselves, without a client in between: copies, replication.

use crate::model::{Sym, Tri};

words! {
    /// `allowedCopyScope` of a storage account (ST-16): copies into it may only come from accounts of its own tenant, or from ones with a private endpoint in a
    /// network where it has one too.
    CopyScope { Aad = "aad", PrivateLink = "privatelink", Unknown = "unknown" }
}

relations! { CHANNEL_RELATIONS:
    /// `store_copy_scope(store, scope)`: copies into `store` are limited (ST-16, X-22). No row: they are not.
    StoreCopyScope store_copy_scope { store: Sym, scope: CopyScope }

    /// `store_cross_tenant(store, allowed)`: whether objects of `store` may be replicated to another tenant. No row: the account leaves it to its age,
    /// which decides for accounts from before the end of 2023 otherwise than for later ones.
    StoreCrossTenant store_cross_tenant { store: Sym, allowed: bool }

    /// `object_replication(policy, source, destination, in_force)`: blobs of `source` are copied to `destination` as they are written. Both are ids, or
    /// names of accounts as written. `in_force` is `yes` for a policy that the source itself has.
    ObjectReplication object_replication { policy: Sym, source: Sym, destination: Sym, in_force: Tri }

    /// `declared_copy(setting, source, destination, in_force)`: `source` sends what it is given, or what it logs, to `destination` by itself, because `setting`
    /// says so: the capture of an event hub, a diagnostic setting, an export pipeline of a registry. `destination` is an id, or the name of an account.
    DeclaredCopy declared_copy { setting: Sym, source: Sym, destination: Sym, in_force: Tri }

    /// `store_export_off(store)`: the `exportPolicy` of the registry forbids to copy images out of it (ACR-04).
    StoreExportOff store_export_off { store: Sym }

    /// `app_routes_all(app)`: everything that the app sends takes the subnet it is integrated with, public destinations too.
    AppRoutesAll app_routes_all { app: Sym }
}
