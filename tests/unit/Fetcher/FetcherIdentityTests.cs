using Entrepot.Fetcher;
using Entrepot.Hosting;
using Xunit;

namespace Entrepot.UnitTests.Fetcher;

public sealed class FetcherIdentityTests
{
    [Theory]
    [InlineData("http://0.0.0.0:5000", "http://{machine}:5000/")]
    [InlineData("http://[::]:5000", "http://{machine}:5000/")]
    [InlineData("http://*:5000", "http://{machine}:5000/")]
    [InlineData("http://+:5000", "http://{machine}:5000/")]
    [InlineData("https://0.0.0.0:5443;http://10.0.0.7:5000", "https://{machine}:5443/")]
    [InlineData("http://10.0.0.7:5000", "http://10.0.0.7:5000/")]
    [InlineData("http://[fd00::7]:5000", "http://[fd00::7]:5000/")]
    [InlineData("http://localhost:5000", "http://localhost:5000/")]
    public void A_fetcher_is_called_where_it_listens_and_by_the_machines_name_when_that_is_everywhere(string urls, string expected) =>
        Assert.Equal(
            expected.Replace("{machine}", new UriBuilder("http", Environment.MachineName).Uri.Host, StringComparison.Ordinal),
            FetcherIdentity.InCluster(new PlatformOptions { Urls = urls }, new FetcherOptions()).Address);

    [Fact]
    public void What_is_configured_goes_before_what_is_guessed() =>
        Assert.Equal("http://fetcher-3:8080/", FetcherIdentity.InCluster(new PlatformOptions(), new FetcherOptions { AdvertisedUrl = new Uri("http://fetcher-3:8080") }).Address);
}
