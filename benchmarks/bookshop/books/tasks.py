"""What is done in the background."""

import boto3
import httpx
import requests
import stripe
import tenacity
from bs4 import BeautifulSoup
from celery import Celery
from lxml import etree

app = Celery("bookshop", broker="redis://127.0.0.1/0")
CLIENTS = (boto3.Session, httpx.Client, requests.Session, stripe.Charge, BeautifulSoup, etree.fromstring)


@app.task
@tenacity.retry(stop=tenacity.stop_after_attempt(3))
def charge(amount: int) -> int:
    """Take money."""
    return amount
