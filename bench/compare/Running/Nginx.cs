using System.Globalization;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Running;

/// <summary>An nginx of our own: its settings, its pid file and its temporary files lie in one folder; it logs to standard error.</summary>
internal static class Nginx
{
    /// <summary>The command.</summary>
    public const string Command = "nginx";

    private const string EchoModule = "/usr/lib/nginx/modules/ngx_http_echo_module.so";

    private static readonly string[] TemporaryKinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

    /// <summary>Starts one; the caller waits until it answers.</summary>
    /// <param name="folder">Where its files lie.</param>
    /// <param name="workers">How many worker processes.</param>
    /// <param name="http">What stands in the <c>http</c> block.</param>
    /// <param name="echo">Whether it needs the echo module.</param>
    public static ChildProcess Start(string folder, int workers, string http, bool echo = false)
    {
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, "nginx.conf");
        var temporary = string.Concat(TemporaryKinds.Select(kind => $"  {kind}_temp_path \"{folder}/tmp\";\n"));
        File.WriteAllText(file, string.Create(CultureInfo.InvariantCulture, $$"""
            daemon off;
            {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
            worker_processes {{workers}};
            pid "{{folder}}/nginx.pid";
            error_log stderr warn;
            {{(echo ? $"load_module {EchoModule};" : "")}}
            events { worker_connections 4096; }
            http {
            {{temporary}}
              gzip off;
              sendfile on;
              tcp_nopush on;
              keepalive_requests 100000000;
            {{http}}
            }

            """));
        return ChildProcess.Start(Command, ["-p", folder, "-c", file, "-e", "stderr"]);
    }
}
