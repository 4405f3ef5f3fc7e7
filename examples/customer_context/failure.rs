//! Why a request is not answered with what it asked for.

use crate::agent::UnknownAgent;
use crate::lookup::Unknown;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

pub(crate) struct Failure {
    status: StatusCode,
    message: String,
}

impl From<Unknown> for Failure {
    fn from(unknown: Unknown) -> Self {
        Self { status: StatusCode::NOT_FOUND, message: unknown.to_string() }
    }
}

impl From<UnknownAgent> for Failure {
    fn from(unknown: UnknownAgent) -> Self {
        Self { status: StatusCode::BAD_REQUEST, message: unknown.to_string() }
    }
}

impl From<PathRejection> for Failure {
    fn from(rejection: PathRejection) -> Self {
        Self { status: rejection.status(), message: rejection.body_text() }
    }
}

impl From<larder::Error> for Failure {
    fn from(error: larder::Error) -> Self {
        let status = match error.kind() {
            larder::ErrorKind::Pattern => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { status, message: error.to_string() }
    }
}

impl Failure {
    pub(crate) fn no_such_path() -> Self {
        let message = "there is nothing here; see /api/v1/context/cache/stats".to_owned();
        Self { status: StatusCode::NOT_FOUND, message }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.message }))).into_response()
    }
}
