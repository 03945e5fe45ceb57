package clevercloudtest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// call is a call to the bridge, or to an app, and what is answered.
func call(t *testing.T, c *Cloud, method, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+Token)
	answer, err := c.Transport().RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body)
}

func TestAStartIsADeploymentThatIsInNoListForASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New()
		id := c.Put(App{Name: "shop", Commit: "c1", Boot: 20 * time.Second})
		app := "https://" + BridgeHost + "/v2/organisations/" + User + "/applications/" + id
		door := "https://app-" + strings.TrimPrefix(id, "app_") + appsDomain + "/cart"
		states := func() (state string, deployments []struct{ State, Commit string }) {
			_, body := call(t, c, "GET", app+"/deployments?limit=5")
			if err := json.Unmarshal([]byte(body), &deployments); err != nil {
				t.Fatal(err, body)
			}
			return c.State(id), deployments
		}
		if status, _ := call(t, c, "GET", door); status != 503 {
			t.Errorf("asleep it answers %d", status)
		}
		if status, body := call(t, c, "POST", app+"/instances?commit=c1"); status != 200 || !strings.Contains(body, "deploymentId") {
			t.Fatalf("%d %s", status, body)
		}
		if state, all := states(); state != WantsToBeUp || len(all) != 0 {
			t.Errorf("at once: %s, %+v", state, all)
		}
		time.Sleep(time.Second)
		if state, all := states(); state != WantsToBeUp || len(all) != 1 || all[0].State != "WIP" {
			t.Errorf("a second later: %s, %+v", state, all)
		}
		time.Sleep(20 * time.Second)
		if state, all := states(); state != ShouldBeUp || all[0].State != "OK" || all[0].Commit != "c1" || c.Runs(id) != "c1" {
			t.Errorf("at the end: %s, %+v", state, all)
		}
		if status, body := call(t, c, "GET", door); status != 200 || !strings.Contains(body, `"path":"/cart"`) {
			t.Errorf("awake it answers %d %s", status, body)
		}
		if status, _ := call(t, c, "DELETE", app+"/instances"); status != 200 || c.State(id) != ShouldBeDown {
			t.Errorf("stopped: %d, %s", status, c.State(id))
		}
		if status, body := call(t, c, "GET", app+"/instances"); status != 200 || !strings.Contains(body, "STOPPING") {
			t.Errorf("right after: %d %s", status, body)
		}
		time.Sleep(stopTime + time.Second)
		if status, _ := call(t, c, "GET", app+"/instances"); status != 404 {
			t.Errorf("its instances: %d", status)
		}
		time.Sleep(time.Minute)
	})
}

func TestAStartWithoutACommitDeploysTheLastThatWasPushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New()
		id := c.Put(App{Name: "shop", Commit: "c1"})
		c.Commit(id, "c2")
		call(t, c, "POST", "https://"+BridgeHost+"/v2/organisations/"+User+"/applications/"+id+"/instances")
		time.Sleep(time.Minute)
		if got := c.Runs(id); got != "c2" {
			t.Errorf("it runs %q", got)
		}
	})
}

func TestATokenCountsAtTheBridgeAloneAndASignatureAtTheAPIAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New()
		plain := `OAuth oauth_consumer_key="consumer-key", oauth_token="oauth-token", oauth_signature="consumer-secret-s3cr%2526t%26oauth-secret%252Fh1dd%253Dn"`
		for _, try := range []struct {
			host, header string
			want         int
		}{
			{BridgeHost, "Bearer " + Token, 200}, {APIHost, "Bearer " + Token, 401},
			{BridgeHost, plain, 401}, {APIHost, plain, 200}, {APIHost, "", 401}, {BridgeHost, "Bearer x", 401},
		} {
			request, _ := http.NewRequest("GET", "https://"+try.host+"/v2/summary", nil)
			request.Header.Set("Authorization", try.header)
			answer, err := c.Transport().RoundTrip(request)
			if err != nil || answer.StatusCode != try.want {
				t.Errorf("%s with %q: %v, %v", try.host, try.header, answer.Status, err)
			}
			answer.Body.Close()
		}
	})
}
