//! Pieces of OpenAPI schema that the derive macros cannot express.

use schemars::{Schema, SchemaGenerator, json_schema};

/// `metav1.Condition` as a list-map keyed by `type`, with the bounds that the Kubernetes type documents.
pub(super) fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "description": "What is true of this object now, in the form that kubectl wait, Argo CD and Flux read.",
        "maxItems": 16,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "description": "One observation, with the reason for it and what to do next.",
            "required": ["type", "status", "lastTransitionTime", "reason", "message"],
            "properties": {
                "type": {
                    "type": "string", "maxLength": 64, "pattern": "^[A-Za-z][A-Za-z0-9]*$",
                    "description": "What is observed, such as Ready."
                },
                "status": {
                    "type": "string", "enum": ["True", "False", "Unknown"],
                    "description": "Whether it holds."
                },
                "observedGeneration": {
                    "type": "integer", "format": "int64", "minimum": 0,
                    "description": "The metadata.generation of the object that this observation is about."
                },
                "lastTransitionTime": {
                    "type": "string", "format": "date-time",
                    "description": "When the status of this condition last changed."
                },
                "reason": {
                    "type": "string", "maxLength": 128, "pattern": "^[A-Za-z][A-Za-z0-9]*$",
                    "description": "One word for programs; the documentation lists every reason and its remedy."
                },
                "message": {
                    "type": "string", "maxLength": 2048,
                    "description": "A sentence for people: what happened and what to do next."
                }
            }
        }
    })
}
