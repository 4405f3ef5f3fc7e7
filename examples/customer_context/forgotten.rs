//! What came of an invalidation.

use crate::failure::Failure;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use larder::{Error, ErrorKind};
use serde::Serialize;

/// What has been forgotten here, and by everybody unless there is something in the way.
#[derive(Serialize)]
pub(crate) struct Forgotten {
    what: String,
    everywhere: bool,
    /// Why it is not yet forgotten everywhere.
    pending: Option<String>,
}

impl Forgotten {
    /// # Errors
    ///
    /// If it has not even been forgotten here.
    pub(crate) fn new(what: String, outcome: Result<(), Error>) -> Result<Self, Failure> {
        let pending = match outcome {
            Ok(()) => None,
            Err(error) if error.kind() == ErrorKind::Pending => Some(error.to_string()),
            Err(error) => return Err(error.into()),
        };
        Ok(Self { what, everywhere: pending.is_none(), pending })
    }
}

impl IntoResponse for Forgotten {
    fn into_response(self) -> Response {
        let status = if self.everywhere { StatusCode::OK } else { StatusCode::ACCEPTED };
        (status, Json(self)).into_response()
    }
}
