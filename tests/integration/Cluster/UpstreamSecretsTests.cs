using System.Text.Json;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Xunit;

namespace Entrepot.IntegrationTests.Cluster;

/// <summary>The passwords of upstreams are the fetcher's alone, though all read the same file. No server is needed to see that.</summary>
public sealed class UpstreamSecretsTests
{
    [Fact]
    public async Task The_api_needs_no_password_of_an_upstream_and_knows_all_the_same_that_there_is_one()
    {
        using var folder = new TempFolder("secrets");
        var url = new Uri($"http://127.0.0.1:{FreePort.Next()}");
        await using var api = await StartAsync("api", $"{url.GetLeftPart(UriPartial.Authority)};http://0.0.0.0:{FreePort.Next()}", folder);
        await Eventually.Async(async () => api.HasExited || await AnswersAsync(url), TimeSpan.FromSeconds(30), "the api to answer");
        Assert.False(api.HasExited, api.Output);
        await Eventually.Async(() => api.Output.Contains("secret.test has credentials, and Entrepot listens beyond this machine", StringComparison.Ordinal), TimeSpan.FromSeconds(10), "the warning");
    }

    [Fact]
    public async Task A_fetcher_without_the_password_of_an_upstream_says_what_it_lacks_and_ends()
    {
        using var folder = new TempFolder("secrets");
        await using var fetcher = await StartAsync("fetcher", $"http://127.0.0.1:{FreePort.Next()}", folder);
        var result = await fetcher.WaitForExitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(2, result.ExitCode);
        Assert.Contains("1 mistake in the configuration", result.Output, StringComparison.Ordinal);
        Assert.Contains($"Upstreams:secret.test:PasswordFile = \"{PasswordFile(folder)}\": does not exist; name a file that this user can read", result.Output, StringComparison.Ordinal);
    }

    private static string PasswordFile(TempFolder folder) => folder.File("password");

    private static async Task<bool> AnswersAsync(Uri url)
    {
        try
        {
            return (await BlobReader.ReadAsync(new Uri(url, "/healthz"))).Status == 200;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task<ChildProcess> StartAsync(string service, string urls, TempFolder folder)
    {
        var nobody = FreePort.Next();
        var file = folder.File("entrepot.json");
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(new
        {
            Urls = urls,
            DataDirectory = folder.File("data"),
            Database = new { ConnectionString = $"Host=127.0.0.1;Port={nobody};Database=entrepot;Username=entrepot" },
            Bus = new { Url = $"amqp://127.0.0.1:{nobody}/" },
            Store = new { Endpoint = $"http://127.0.0.1:{nobody}", AccessKey = "key", SecretKey = "secret-of-nobody" },
            Internal = new { Token = "token-of-the-tests-alone" },
            Upstreams = new Dictionary<string, object> { ["secret.test"] = new { Url = $"http://127.0.0.1:{nobody}", Username = "u", PasswordFile = PasswordFile(folder) } },
        }));
        return ChildProcess.Start("dotnet", [ServicePrograms.PathOf(service), "--config", file]);
    }
}
