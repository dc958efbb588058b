//! Changes inside of a domain while it is served: what its people do while a crawl looks on.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::mutation::missing;
use super::studio::complete_listing;
use super::{Account, Domain, MutationError, Thing, text};
use crate::datazone::Denial;

/// One change to what is in a domain.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum DomainMutation {
    /// Adds or replaces a thing by its document as `Get…` answers it; a listing takes from its asset what its document leaves out.
    Put {
        thing: Thing,
        document: Value,
    },
    /// Removes a thing by its id (its name where it is a type); an asset or data product with its listing.
    Remove {
        thing: Thing,
        id: String,
    },
    /// Sets members of a document; null removes one. An asset gets a new revision and time by it.
    Change {
        thing: Thing,
        id: String,
        members: Value,
    },
    /// Takes the listing of an asset or data product out of the catalog: `GetListing` answers INACTIVE, searches leave it out.
    Unpublish {
        entity: String,
    },
    /// Makes the user or role of an ARN a member of a project, with a profile where it has none.
    AddMember {
        project: String,
        arn: String,
    },
    RemoveMember {
        project: String,
        arn: String,
    },
    /// Removes a project and everything that it owns.
    RemoveProject {
        project: String,
    },
    RevokeSubscription {
        subscription: String,
    },
    /// Refuses everything in this domain, in the words of one of the two gates; null lets it be seen again.
    Deny {
        denial: Option<Denial>,
    },
    /// Removes the domain itself.
    RemoveDomain {},
}

impl Account {
    /// Adds a DataZone domain by its document (`id`), or replaces the document of one.
    pub fn put_domain(&mut self, document: Value) {
        let id = text(&document, "id").to_owned();
        self.datazone.domains.entry(id).or_default().document = document;
    }

    /// A thing of a domain as its document, e.g. `account.domain_thing("dzd_1", Thing::Asset, "a1")`.
    #[must_use]
    pub fn domain_thing(&self, domain: &str, thing: Thing, id: &str) -> Option<Value> {
        Some(self.datazone.domains.get(domain)?.document(thing, id)?.into_owned())
    }

    /// The ids of all things of a kind in a domain.
    #[must_use]
    pub fn domain_ids(&self, domain: &str, thing: Thing) -> Vec<String> {
        let domain = self.datazone.domains.get(domain);
        domain.into_iter().flat_map(|domain| domain.after(thing, None)).map(|found| found.key().into_owned()).collect()
    }

    pub(super) fn change_domain(&mut self, id: &str, change: DomainMutation, now_ms: i64) -> Result<(), MutationError> {
        if matches!(change, DomainMutation::RemoveDomain {}) {
            return self.datazone.domains.remove(id).map(|_| ()).ok_or_else(|| missing("domain", id));
        }
        let domain = self.datazone.domains.get_mut(id).ok_or_else(|| missing("domain", id))?;
        match change {
            DomainMutation::Put { thing, document } => domain.put_whole(thing, document),
            DomainMutation::Remove { thing, id } => return domain.remove_whole(thing, &id),
            DomainMutation::Change { thing, id, members } => return domain.change(thing, &id, &members, now_ms),
            DomainMutation::Unpublish { entity } => return domain.unpublish(&entity),
            DomainMutation::AddMember { project, arn } => return domain.add_member(&project, &arn),
            DomainMutation::RemoveMember { project, arn } => return domain.remove_member(&project, &arn),
            DomainMutation::RemoveProject { project } => return domain.remove_project(&project),
            DomainMutation::RevokeSubscription { subscription } => {
                return domain.change(Thing::Subscription, &subscription, &json!({"status": "REVOKED"}), now_ms);
            }
            DomainMutation::Deny { denial } => domain.denial = denial,
            DomainMutation::RemoveDomain {} => {}
        }
        Ok(())
    }
}

impl Domain {
    fn put_whole(&mut self, thing: Thing, mut document: Value) {
        if let (Thing::Listing, Some(asset)) = (thing, self.document(Thing::Asset, text(&document, "entityId"))) {
            let asset = asset.into_owned();
            complete_listing(&mut document, &asset, self);
        }
        self.put(thing, document);
    }

    pub(crate) fn remove_whole(&mut self, thing: Thing, id: &str) -> Result<(), MutationError> {
        if matches!(thing, Thing::Asset | Thing::DataProduct)
            && let Some(listing) = self.listing_of(id).map(|listing| text(&listing, "listingId").to_owned())
        {
            self.remove(Thing::Listing, &listing);
        }
        if self.remove(thing, id) { Ok(()) } else { Err(missing("thing", id)) }
    }

    fn change(&mut self, thing: Thing, id: &str, members: &Value, now_ms: i64) -> Result<(), MutationError> {
        let document = self.document_mut(thing, id).ok_or_else(|| missing("thing", id))?;
        if thing == Thing::Asset {
            let revision: u64 = text(document, "revision").parse().unwrap_or(0);
            document["revision"] = json!((revision + 1).to_string());
            document["createdAt"] = json!(now_ms / 1_000);
        }
        if document.get("updatedAt").is_some_and(Value::is_number) {
            document["updatedAt"] = json!(now_ms / 1_000);
        }
        let Some(document) = document.as_object_mut() else { return Ok(()) };
        for (name, value) in members.as_object().into_iter().flatten() {
            if value.is_null() {
                document.remove(name);
            } else {
                document.insert(name.clone(), value.clone());
            }
        }
        Ok(())
    }

    fn unpublish(&mut self, entity: &str) -> Result<(), MutationError> {
        let listing = self.listing_of(entity).map(|listing| text(&listing, "listingId").to_owned());
        let listing = listing.ok_or_else(|| missing("listing of", entity))?;
        if let Some(document) = self.document_mut(Thing::Listing, &listing) {
            document["$status"] = json!("INACTIVE");
        }
        Ok(())
    }

    fn add_member(&mut self, project: &str, arn: &str) -> Result<(), MutationError> {
        let known = self.profiles_of(arn).first().map(|id| (*id).to_owned());
        let profile = known.unwrap_or_else(|| {
            let number = self.all(Thing::User).count() + 1;
            let id = format!("0a1b2c3d-{number:04}-4000-9000-{number:012}");
            self.put(Thing::User, json!({"id": id, "type": "IAM", "status": "ACTIVATED", "details": {"iam": {"arn": arn}}}));
            id
        });
        let members = self.members_mut(project)?;
        members.push(json!({"memberDetails": {"user": {"userId": profile}}, "designation": "PROJECT_CONTRIBUTOR"}));
        Ok(())
    }

    fn remove_member(&mut self, project: &str, arn: &str) -> Result<(), MutationError> {
        let profiles: Vec<String> = self.profiles_of(arn).into_iter().map(str::to_owned).collect();
        let members = self.members_mut(project)?;
        members.retain(|member| {
            let id = member.pointer("/memberDetails/user/userId").and_then(Value::as_str);
            !id.is_some_and(|id| profiles.iter().any(|profile| profile == id))
        });
        Ok(())
    }

    fn members_mut(&mut self, project: &str) -> Result<&mut Vec<Value>, MutationError> {
        let document = self.document_mut(Thing::Project, project).ok_or_else(|| missing("project", project))?;
        if !document["$members"].is_array() {
            document["$members"] = json!([]);
        }
        document["$members"].as_array_mut().ok_or_else(|| missing("project", project))
    }

    fn remove_project(&mut self, project: &str) -> Result<(), MutationError> {
        for thing in [Thing::Asset, Thing::Listing, Thing::DataProduct, Thing::Glossary] {
            self.remove_where(thing, |found| found.text("owningProjectId") == project);
        }
        self.remove_where(Thing::Environment, |found| found.text("projectId") == project);
        if self.remove(Thing::Project, project) { Ok(()) } else { Err(missing("project", project)) }
    }

    fn remove_where(&mut self, thing: Thing, is_gone: impl Fn(&super::FoundThing<'_>) -> bool) {
        let gone: Vec<String> = self.after(thing, None).filter(is_gone).map(|found| found.key().into_owned()).collect();
        for key in gone {
            self.remove(thing, &key);
        }
    }
}
