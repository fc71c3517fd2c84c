using Entrepot.Fetcher;
using Entrepot.Hosting;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Entrepot.UnitTests.Fetcher;

public sealed class FetcherOptionsTests
{
    [Fact]
    public void A_download_is_not_given_up_before_its_waiters_have_had_time_to_say_that_they_wait()
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Fetcher:AbandonAfter"] = "10s" }).Build();
        Assert.Equal("Fetcher:AbandonAfter = \"10s\": is out of bounds; write 15s to 1d", Assert.Single(new OptionsSchema().Add<FetcherOptions>("Fetcher").Bind(settings).Errors).ToString());
    }
}
