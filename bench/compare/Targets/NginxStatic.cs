using Entrepot.Bench.Running;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Targets;

/// <summary>nginx with the upstream's files themselves: the physical limit, without any logic.</summary>
/// <param name="work">Where the files lie.</param>
/// <param name="certificate">Serves https when given.</param>
internal sealed class NginxStatic(WorkFolder work, Certificate? certificate = null) : OwnTarget(DefaultName, work)
{
    /// <summary>Its name.</summary>
    public const string DefaultName = "nginx-static";

    private readonly WorkFolder _work = work;

    /// <inheritdoc/>
    public override Uri Url => certificate is null ? base.Url : new($"https://127.0.0.1:{Port}");

    /// <inheritdoc/>
    protected override ChildProcess Start(string folder) => Nginx.Start(folder, Environment.ProcessorCount, $$"""
          access_log off;
          open_file_cache max=1000;
          root "{{_work.Images}}";
          default_type application/octet-stream;
          server {
            listen 127.0.0.1:{{Port}} reuseport{{(certificate is null ? "" : " ssl")}};
        {{(certificate is null ? "" : $"""
            ssl_protocols TLSv1.3;
            ssl_certificate "{certificate.CertificateFile}";
            ssl_certificate_key "{certificate.KeyFile}";
        """)}}
            location = /v2/ { default_type application/json; return 200 "{}"; }
            location / { }
            location ~ /manifests/ { default_type application/vnd.oci.image.manifest.v1+json; }
          }
        """);
}
