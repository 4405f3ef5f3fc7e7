//! What is done at which path.

use crate::agent::Agent;
use crate::database::{Database, Plan};
use crate::failure::Failure;
use crate::forgotten::Forgotten;
use crate::lookup::{self, Context, Conversation, context, conversation};
use crate::page::Page;
use crate::statistics::Statistics;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Html;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) fn of(database: Arc<Database>) -> Router {
    let routes = Router::new()
        .route("/customers/{customer}/{agent}", get(one))
        .route("/customers/{customer}/{agent}/{conversation}", get(one_conversation))
        .route("/cache/customers/{customer}/{agent}", delete(forget_one))
        .route("/cache/customers/{customer}", delete(forget_customer))
        .route("/cache/keys/{pattern}", delete(forget_pattern))
        .route("/cache", delete(forget_everything))
        .route("/cache/warm/{plan}", post(warm))
        .route("/cache/stats", get(statistics))
        .route("/cache/page", get(page));
    Router::new()
        .nest("/api/v1/context", routes)
        .fallback(async || Failure::no_such_path())
        .with_state(database)
}

async fn one(
    State(database): State<Arc<Database>>,
    Path((customer, agent)): Path<(String, String)>,
) -> Result<Json<Context>, Failure> {
    Ok(Json(context(&database, &customer, agent.parse()?).await?))
}

async fn one_conversation(
    State(database): State<Arc<Database>>,
    Path((customer, agent, name)): Path<(String, String, String)>,
) -> Result<Json<Conversation>, Failure> {
    Ok(Json(conversation(&database, &customer, agent.parse()?, &name).await?))
}

async fn forget_one(Path((customer, agent)): Path<(String, String)>) -> Result<Forgotten, Failure> {
    let agent: Agent = agent.parse()?;
    let outcome = context::invalidate(&customer, agent).await;
    Forgotten::new(format!("the context of {customer} for {agent}"), outcome)
}

async fn forget_customer(Path(customer): Path<String>) -> Result<Forgotten, Failure> {
    let tag = lookup::tag(&customer);
    let outcome = larder::invalidate_tag(&tag).await;
    Forgotten::new(format!("everything tagged {tag}"), outcome)
}

async fn forget_pattern(Path(pattern): Path<String>) -> Result<Forgotten, Failure> {
    let outcome = larder::invalidate_pattern(&pattern).await;
    Forgotten::new(format!("everything like {pattern}"), outcome)
}

async fn forget_everything() -> Result<Forgotten, Failure> {
    Forgotten::new("everything".to_owned(), larder::invalidate_all().await)
}

/// Looks up every customer of a plan for every agent, as is worth while before many will ask.
async fn warm(
    State(database): State<Arc<Database>>,
    plan: Result<Path<Plan>, PathRejection>,
) -> Result<Json<Value>, Failure> {
    let Path(plan) = plan?;
    let customers = database.customers_of(plan).await;
    let mut calls = Vec::new();
    for customer in &customers {
        calls.extend(Agent::ALL.map(|agent| (&*database, &customer[..], agent)));
    }
    let warmed = context::warm(calls).await;
    Ok(Json(json!({ "looked_up": warmed.calls, "failures": warmed.failures.len() })))
}

async fn statistics(State(database): State<Arc<Database>>) -> Json<Statistics> {
    Json(Statistics::now(&database))
}

async fn page(State(database): State<Arc<Database>>) -> Html<String> {
    Html(Page(&Statistics::now(&database)).to_string())
}
