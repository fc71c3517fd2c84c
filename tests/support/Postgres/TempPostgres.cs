using Entrepot.TestSupport.Running;
using Npgsql;
using Xunit;

namespace Entrepot.TestSupport.Postgres;

/// <summary>
/// A real PostgreSQL on a free loopback port with its data in a temporary folder, for one test run; ready in about a second.
/// A machine without PostgreSQL fails the tests: an untested database is not a passed test.
/// </summary>
public sealed class TempPostgres : IAsyncLifetime
{
    private const string User = "entrepot";
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);
    private static readonly bool IsRoot = Environment.UserName == "root";
    private readonly string _binaries = FindBinaries();
    private string _folder = "";
    private int _port;
    private int _databases;

    /// <summary>Starts the server; <see cref="DisposeAsync"/> stops it and removes its data.</summary>
    public async Task InitializeAsync()
    {
        _folder = (await RunAsync("mktemp", ["-d", "-t", "entrepot-postgres-XXXXXXXX"])).Trim();
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
        await RunAsync($"{_binaries}/initdb",
            ["-D", $"{_folder}/data", "-U", User, "-A", "trust", "--no-sync", "--no-instructions", "-E", "UTF8", "--locale", "C.UTF-8"]);
        _port = FreePort.Next();
        // -w: return when it accepts connections. Nothing here needs to survive a power cut.
        await RunAsync($"{_binaries}/pg_ctl",
        [
            "-D", $"{_folder}/data", "-w", "-s", "-l", $"{_folder}/log", "start", "-o",
            $"-c listen_addresses=127.0.0.1 -c port={_port} -c unix_socket_directories={_folder} -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=200",
        ]);
    }

    /// <summary>A new database.</summary>
    /// <param name="template">The name of a database without connections to copy, or null for an empty one.</param>
    /// <returns>Its name; see <see cref="ConnectionString"/>.</returns>
    public async Task<string> CreateDatabaseAsync(string? template = null)
    {
        var name = $"test_{Interlocked.Increment(ref _databases)}";
        await using var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Both names are made here.
        command.CommandText = $"CREATE DATABASE {name}" + (template is null ? "" : $" TEMPLATE {template}");
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
        return name;
    }

    /// <summary>How to reach a database of this server.</summary>
    public string ConnectionString(string database) => $"Host=127.0.0.1;Port={_port};Username={User};Database={database}";

    /// <inheritdoc />
    public Task DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        return StopAsync();
    }

    private void OnProcessExit(object? sender, EventArgs e) => StopAsync().Wait(TimeSpan.FromSeconds(5));

    private async Task StopAsync()
    {
        if (_port != 0) await RunAsync($"{_binaries}/pg_ctl", ["-D", $"{_folder}/data", "-m", "immediate", "-s", "stop"]);
        Directory.Delete(_folder, recursive: true);
    }

    private static string FindBinaries()
    {
        const string root = "/usr/lib/postgresql";
        return (Directory.Exists(root) ? Directory.GetDirectories(root) : [])
            .OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), out var version) ? version : 0)
            .Select(folder => Path.Combine(folder, "bin"))
            .FirstOrDefault(bin => File.Exists(Path.Combine(bin, "initdb")))
            ?? throw new InvalidOperationException($"These tests need PostgreSQL's server programs in {root}/<version>/bin: install the package postgresql");
    }

    /// <summary>Runs a program, as the user postgres when we are root: the server refuses root.</summary>
    private static async Task<string> RunAsync(string program, string[] arguments)
    {
        string[] user = IsRoot ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] : [];
        // In a folder that this user may enter. The server that pg_ctl leaves behind writes to its log file, so that the output ends with the program itself.
        var result = await ChildProcess.RunAsync("env", ["--chdir=/", .. user, program, .. arguments], new Dictionary<string, string?> { ["TMPDIR"] = null, ["LC_ALL"] = "C.UTF-8" }, Deadline);
        return result.ExitCode == 0 ? result.StandardOutput : throw new InvalidOperationException($"{program} failed with exit code {result.ExitCode}: {result.Output}");
    }
}
