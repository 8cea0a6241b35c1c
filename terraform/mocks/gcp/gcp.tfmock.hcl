# What Google would answer, as far as the folders look at it.
mock_data "google_project" {
  defaults = { number = "123456789012" }
}

mock_resource "google_sql_database_instance" {
  defaults = {
    private_ip_address = "10.20.0.3"
    server_ca_cert     = [{ cert = "-----BEGIN CERTIFICATE-----database", common_name = "", create_time = "", expiration_time = "", sha1_fingerprint = "" }]
  }
}

mock_resource "google_redis_instance" {
  defaults = {
    host            = "10.20.0.4"
    port            = 6378
    auth_string     = "made-up-by-google"
    server_ca_certs = [{ cert = "-----BEGIN CERTIFICATE-----redis", create_time = "", expire_time = "", serial_number = "", sha1_fingerprint = "" }]
  }
}

mock_resource "google_cloud_run_v2_service" {
  defaults = { uri = "https://autopr-prod-abc.run.app" }
}
