using Entrepot.Bench.Running;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Targets;

/// <summary>nginx with proxy_cache and proxy_cache_lock, in the manner of the registry caches that are built of it. It verifies nothing.</summary>
/// <param name="work">Where its folder lies.</param>
/// <param name="upstream">Where it pulls from.</param>
internal sealed class NginxCache(WorkFolder work, Uri upstream) : OwnTarget(DefaultName, work)
{
    /// <summary>Its name.</summary>
    public const string DefaultName = "nginx-cache";

    /// <inheritdoc/>
    protected override ChildProcess Start(string folder) => Nginx.Start(folder, Environment.ProcessorCount, $$"""
          access_log off;
          proxy_cache_path "{{folder}}/cache" levels=2:2 keys_zone=cache:16m max_size=60g inactive=60d use_temp_path=off;
          proxy_http_version 1.1;
          proxy_set_header Connection "";
          proxy_set_header Host $http_host;
          upstream registry { server {{upstream.Authority}}; keepalive 32; }
          proxy_read_timeout 900;
          proxy_buffer_size 64k;
          proxy_buffers 16 64k;
          proxy_busy_buffers_size 256k;
          proxy_max_temp_file_size 20480m;
          proxy_cache cache;
          proxy_cache_lock on;
          proxy_cache_lock_timeout 880s;
          proxy_cache_lock_age 880s;
          proxy_force_ranges on;
          proxy_ignore_client_abort on;
          proxy_cache_revalidate on;
          proxy_ignore_headers X-Accel-Expires Expires Cache-Control Set-Cookie Vary;
          proxy_cache_use_stale error timeout http_500 http_502 http_504 http_429;
          server {
            listen 127.0.0.1:{{Port}} reuseport;
            location ~ ^/v2/(.*)/blobs/sha256:(.*)     { proxy_cache_key $2;   proxy_cache_valid 200 206 60d; proxy_pass http://registry; }
            location ~ ^/v2/(.*)/manifests/sha256:(.*) { proxy_cache_key $uri; proxy_cache_valid 200 60d;     proxy_pass http://registry; }
            location ~ ^/v2/(.*)/manifests/            { proxy_cache_key $uri$http_accept; proxy_cache_valid 200 10m; proxy_pass http://registry; }
            location / { proxy_cache off; proxy_pass http://registry; }
          }
        """);
}
